"""The sandbox's clock, which a test may put forward."""

from __future__ import annotations

import time


class Clock:
    """Unix time in float seconds, plus what the clock has been put forward."""

    def __init__(self) -> None:
        self.ahead_seconds = 0.0

    def now(self) -> float:
        """The sandbox's time as Unix seconds."""
        return time.time() + self.ahead_seconds

    def advance(self, seconds: float) -> None:
        """Put the clock forward, never back: a ledger whose times run backwards would be of no use."""
        if seconds < 0:
            raise ValueError("the clock only goes forward")
        self.ahead_seconds += seconds
