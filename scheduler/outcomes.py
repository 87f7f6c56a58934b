"""Outcomes as Celery tasks: what jobs with ``on_outcome="celery:…"`` came to, published into the app's own broker.

One scheduler publishes at a time, in the order of the stream, and deletes what the broker has taken. One that dies
between the two leaves outcomes that are published once more: at least once, and in order.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import structlog

from envoi.outcomes import Outcome
from envoi.queue.queue import Queue
from scheduler.lease import Lease
from scheduler.outcome_stream import OutcomeStream
from scheduler.rounds import STANDBY, go_round
from scheduler.task_broker import TaskBroker
from scheduler.troubles import Troubles

LEASE = 10.0  # seconds that a publisher whose turn takes long keeps this work to itself
BATCH = 100  # outcomes that are read at once
_BLOCK = 1.0  # seconds that one question waits for an outcome

log = structlog.get_logger()


class OutcomePublisher:
    """Publishes the outcomes of one queue. One thread at a time may run it; several processes may.

    Args:
        queue: whose outcomes.
        broker: takes the tasks.
        troubles: told of outages.
        lease: seconds that it keeps the work to itself when a turn takes long.
    """

    name = "outcomes"

    def __init__(self, queue: Queue, broker: TaskBroker, troubles: Troubles, lease: float = LEASE) -> None:
        self._stream = OutcomeStream(queue, lease)
        self._broker = broker
        self._troubles = troubles

    @property
    def lease(self) -> Lease:
        """The right to publish."""
        return self._stream.lease

    def run(self, stop: threading.Event) -> None:
        """Publish until told to stop."""
        go_round(self, self._round, stop, self._troubles)

    def turn(self, wait: float = 0.0) -> int | None:
        """Publish at most one batch.

        Args:
            wait: how long to wait for an outcome where there is none, seconds (well below 5).

        Returns:
            How many were published; None where another publisher is at work.

        Raises:
            BrokerUnavailable: the app's broker did not take one; those before it were published.
            QueueUnavailable: Redis did not answer.
        """
        reading = self._stream.read(BATCH)
        if reading is None:
            return None
        if not reading.positions:
            if wait > 0:
                self._stream.wait(wait)
            return 0
        published: list[str] = list(reading.unreadable)
        try:
            self._publish(reading.outcomes, published)
        finally:  # also what went out before the broker failed
            self._stream.delete(reading.run, published)
        return len(published)

    def _publish(self, outcomes: Sequence[Outcome], published: list[str]) -> None:
        """Publish in order, note the position of each; no more once the lease may be another's, who goes on then."""
        for outcome in outcomes:
            if not self.lease.mine:
                return
            self._broker.publish(outcome)
            published.append(outcome.position)

    def release(self) -> None:
        """Let go of the broker, and let another scheduler publish at once.

        Raises:
            QueueUnavailable: Redis did not answer; the lease ends by itself.
        """
        self._broker.close()
        self._stream.release()

    def _round(self) -> float:
        return STANDBY if self.turn(wait=_BLOCK) is None else 0.0
