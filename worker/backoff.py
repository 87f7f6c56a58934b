"""When to try again: a pure function of the attempt; the jitter is apart, so the schedule is tested exactly."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential backoff with full jitter.

    Attributes:
        first: cap of the wait after the first attempt, seconds.
        cap: cap of every wait, seconds.
    """

    first: float
    cap: float

    def ceiling(self, attempt: int) -> float:
        """The longest wait after so many attempts, seconds: doubles each time, up to the cap."""
        doublings = min(attempt - 1, 64)  # beyond that every cap is long reached
        return min(self.cap, self.first * 2.0**doublings)

    def wait(self, attempt: int, *, at_least: float = 0.0, draw: random.Random | None = None) -> float:
        """A wait between ``at_least`` and the ceiling (or twice ``at_least``, if that is more), drawn evenly, seconds.

        Spread over the whole range, jobs that failed together do not come back together.
        """
        ceiling = max(self.ceiling(attempt), 2 * at_least)
        return (draw or _RANDOM).uniform(at_least, ceiling)


_RANDOM = random.Random()  # noqa: S311  # spreads load; nothing secret
