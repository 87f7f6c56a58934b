"""A sampler: reads figures now and then, in a thread of its own, so that no scrape waits for Redis or SQL.

What was read is shown until it is old; then nothing is shown in its place, and its age goes on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from prometheus_client.core import Metric

from scheduler.troubles import Troubles

OLD = 60.0  # seconds after which figures say nothing any more


class Sampler:
    """Samples one source.

    Args:
        of: the source: ``queue``, ``log`` or ``outbox``.
        read: reads it, in bounded time and without growing work.
        period: seconds between two samples.
        troubles: told of outages.
        clock: seconds, ever growing.

    Attributes:
        name: of this work, for logs.
        of: the source.
    """

    def __init__(
        self,
        of: str,
        read: Callable[[], Sequence[Metric]],
        period: float,
        troubles: Troubles,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.of = of
        self.name = f"sample_{of}"
        self._read = read
        self._period = period
        self._troubles = troubles
        self._clock = clock
        self._since = clock()
        self._taken: Sequence[Metric] = ()

    def run(self, stop: threading.Event) -> None:
        """Sample until told to stop. An outage is waited for."""
        while not stop.is_set():
            with self._troubles.turn_of(self.name):
                self.turn()
            stop.wait(self._period)

    def turn(self) -> None:
        """Take one sample.

        Raises:
            EnvoiError: the source did not answer; the sample before it stays.
        """
        began = self._clock()
        self._taken, self._since = self._read(), began

    @property
    def age(self) -> float:
        """Seconds since the last sample was taken, or since there has been none."""
        return self._clock() - self._since

    def collect(self) -> Sequence[Metric]:
        """The last sample, unless it is old."""
        return self._taken if self.age < OLD else ()
