"""What an attempt asks for as it walks: calls, looks and waits of its own, and the queue's commands."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from envoi.queue.commands import Command
from worker.steps import Step


@dataclass(slots=True)  # not frozen: that takes three times as long to make
class Call:
    """Make this step's call; answered with an :class:`worker.graph.Outcome`.

    Attributes:
        job: as the call carries it; None: as it was enqueued.
        by: later than this, monotonic seconds, it is not started: no call is made. None: whenever.
    """

    step: Step
    job: dict[str, Any] | None = None
    by: float | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Resume after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Look:
    """Look into the job's conversation; answered with a :class:`worker.looks.Looked`.

    Attributes:
        asked_at: the time by the queue's clock, seconds since the epoch.
    """

    asked_at: float


@dataclass(frozen=True, slots=True)
class Tell:
    """Have the queue run a command before all that the attempt asks later; answered with None, and at once."""

    command: Command


Ask = Call | Look | Wait | Tell | Command
Walk = Generator[Ask, Any, str]
