"""Counting calls in a moving span of time."""

from __future__ import annotations

from collections import deque


class Rate:
    """How many calls there were in the last so many seconds."""

    def __init__(self, span_seconds: float) -> None:
        self.span_seconds = span_seconds
        self._times: deque[float] = deque()

    def count(self, now: float) -> int:
        """Calls in the span that ends now; Unix seconds."""
        while self._times and self._times[0] <= now - self.span_seconds:
            self._times.popleft()
        return len(self._times)

    def add(self, now: float) -> None:
        """One more call."""
        self._times.append(now)

    def seconds_until_below(self, most: int, now: float) -> float:
        """How long until fewer than so many are in the span, if no more come."""
        over = self.count(now) - most
        return 0.0 if over < 0 else self._times[over] + self.span_seconds - now
