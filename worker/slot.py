"""The slot that a message has in its page's pace, by the queue's clock, and whether it comes too late to it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

_LATE = 0.02  # seconds that a message may come after its slot, however small the margin of the pace is


class SlotClock:
    """The queue's time in one attempt. Times are seconds since the epoch by Redis's clock.

    Args:
        claimed_at: when the job was claimed; None: the clock of this host is all there is.
        pace_margin: seconds by which a page's pace is stretched (settings): half of it may be used up here.
        clock: of this host, which may be wrong.
    """

    def __init__(self, claimed_at: float | None, pace_margin: float, clock: Callable[[], float]) -> None:
        self._claimed_at = claimed_at
        self._clock = clock
        self._born = time.monotonic()
        self._too_late = max(_LATE, pace_margin / 2)  # seconds after the slot

    def now(self) -> float:
        """The time by Redis's clock, which says when a job expires."""
        return self._clock() if self._claimed_at is None else self._claimed_at + time.monotonic() - self._born

    @property
    def held_for(self) -> float:
        """Seconds since the claim was answered."""
        return time.monotonic() - self._born

    def start_by(self, slot: float | None) -> float | None:
        """Until when the call may start, monotonic seconds: calls that this process held up must not go all at once."""
        if slot is None or self._too_late == math.inf:
            return None
        return time.monotonic() + slot + self._too_late - self.now()

    def came_late(self, slot: float | None) -> bool:
        """Whether the time for that slot is over."""
        return slot is not None and self.now() > slot + self._too_late

    def forgive(self) -> None:
        """Any time is right from now on: who is late again has no better chance with the slot after that."""
        self._too_late = math.inf
