"""A call on its way, on a socket that does not block."""

from __future__ import annotations

from dataclasses import dataclass

from worker.graph import Ready
from worker.running import Running
from worker.wire import Wire


@dataclass(slots=True)
class Flight:
    """One such call.

    Attributes:
        deadline: monotonic seconds by which its whole answer must be here.
        started_at: seconds since the epoch; ``started`` the same by the monotonic clock.
    """

    running: Running
    ready: Ready
    wire: Wire
    deadline: float
    started_at: float
    started: float
