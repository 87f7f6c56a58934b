"""Timers: attempts that wait for a moment."""

from __future__ import annotations

import heapq
import itertools
import math
import time
from collections.abc import Iterator

from worker.running import Running


class Timers:
    """The attempts that wait, soonest first. All times are monotonic seconds."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Running]] = []
        self._numbers = itertools.count()  # equal times in the order of coming

    @property
    def next_at(self) -> float:
        """When the first of them goes on; infinite where none waits."""
        return self._waiting[0][0] if self._waiting else math.inf

    def wait(self, running: Running, seconds: float) -> None:
        """Let an attempt wait."""
        heapq.heappush(self._waiting, (time.monotonic() + seconds, next(self._numbers), running))

    def due(self) -> Iterator[Running]:
        """Those whose time has come by now; what is added meanwhile waits for the next look."""
        now = time.monotonic()
        while self._waiting and self._waiting[0][0] <= now:
            yield heapq.heappop(self._waiting)[2]
