"""Restarts: what the engine knows of the run of Redis that it works with, and tells a new one before it claims."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import structlog

from envoi.errors import EnvoiError
from envoi.queue.queue import Queue
from worker.recall import Recall, Told

_MARGIN = 3.0  # seconds kept in recall beyond what Redis may lose

log = structlog.get_logger()


class Restarts:
    """Of one engine, and in its thread but for ``attention`` and ``told_run``.

    Args:
        queue: whose Redis.
        name: ours, in the register of workers.
        tolds: what the queue was told of the attempts on their way.
        moved_on: called after each trip: there may be thousands to tell.
        registered: called when the first run was told: while the gate is shut it is this that registers a new worker.

    Attributes:
        attention: set when Redis fails or its gate is found shut: it may have restarted.
        told_run: the last run of Redis that was told all that it may have lost.
        away: Redis did not answer the last trip.
        shut: the last answer said that the gate is shut; None: nothing is known.
        recall: what ended in the last seconds.
    """

    def __init__(
        self,
        queue: Queue,
        name: str,
        tolds: Callable[[], Sequence[Told]],
        moved_on: Callable[[], None],
        registered: Callable[[], None],
    ) -> None:
        self.attention = threading.Event()
        self.told_run: str | None = None
        self.away = False
        self.shut: bool | None = None
        self.recall = Recall(queue.settings.loss_bound + _MARGIN)
        self._queue = queue
        self._name = name
        self._tolds = tolds
        self._moved_on = moved_on
        self._registered = registered
        self._untold: str | None = None  # the run id of a Redis that has not been told yet what it may have lost

    @property
    def to_tell(self) -> bool:
        """Whether there is a run that must be told first."""
        return self._untold is not None

    def another(self, run_id: str) -> None:
        """Another run of Redis answers."""
        if run_id != self.told_run:  # else a trip has met it first
            self._untold = run_id

    def same(self, asked: float) -> None:
        """The run that was told last still answered at ``asked``, monotonic seconds."""
        if self._untold is None:  # else that run has not been told yet
            self.recall.forget(asked)

    def tell(self) -> None:
        """Tell a run that waits for it.

        Raises:
            QueueUnavailable: Redis did not answer; it is still to be told.
        """
        if self._untold is not None:
            self._tell(self._untold)

    def when_shut(self) -> None:
        """A trip has met a shut gate: perhaps another run of Redis, which is told first what came before the trip."""
        run_id = self._queue.run_id()
        if run_id != self.told_run:
            self._tell(run_id)

    def see_gate(self, *, shut: bool) -> None:
        """Whoever finds the gate shut calls attention once: the lease keeper sees which run of Redis it is."""
        if shut and not self.shut:
            self.attention.set()
        self.shut = shut

    def lost_touch(self, error: EnvoiError) -> None:
        """A trip was not answered."""
        if not self.away:
            log.warning("the queue does not answer", action="trip", error=str(error))
        self.away, self.shut = True, None
        self.attention.set()

    def _tell(self, run_id: str) -> None:
        self.recall.tell_again(self._queue, self._name, run_id, self._tolds(), self._moved_on)
        self._untold = None
        if self.told_run is None:
            self._registered()
        self.told_run = run_id
