"""Gathering: how long the log writer lets events come together before it copies them.

Each batch is a transaction, and each makes a new version of the row of every job in it. So under load it pays to wait:
a job's own events then meet in one batch. Where no more events come there is nothing to wait for.
"""

from __future__ import annotations

import time
from collections.abc import Callable

LOOK = 0.05  # seconds between two batches; at 200 events/s 0.02 cost 1.4 times the CPU, 0 three times
QUIET = 0.025  # seconds without an event: no more come for now
_MANY = 100  # events in a batch: from here on more are let come together
_LONGEST = 0.5  # seconds; longer than most jobs take from claim to outcome where Graph answers in 0.1 s


class Gathering:
    """Says after each batch when the next one is to be copied.

    Args:
        batch: events in one batch, at most.
        clock: seconds, ever growing.
    """

    def __init__(self, batch: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._batch = batch
        self._clock = clock
        self._until: float | None = None  # None: nothing is gathered
        self._waiting = 0  # events that waited at the last look

    @property
    def on(self) -> bool:
        """Whether events are let come together now."""
        return self._until is not None

    def begin(self, copied: int) -> float:
        """A batch of so many events was copied. Returns seconds until the next look."""
        self._until = self._clock() + _LONGEST if _MANY <= copied < self._batch else None
        self._waiting = 0
        return LOOK if 0 < copied < self._batch else 0.0

    def go_on(self, waiting: int) -> bool:
        """Whether to wait for more, where so many events wait now: not once no more come, nor for more than a batch."""
        more = self._until is not None and self._clock() < self._until and self._waiting < waiting < self._batch
        self._waiting = waiting
        return more
