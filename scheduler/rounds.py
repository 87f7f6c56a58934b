"""Rounds: work under a lease that is done again and again in a thread of its own, and outlasts any outage."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from envoi.errors import EnvoiError, QueueUnavailable
from envoi.queue.queue import Queue
from scheduler.background import Work
from scheduler.lease import Lease
from scheduler.troubles import Troubles

BLOCK = 1.75  # seconds of one wait for something to do; how long a stop may take
STANDBY = 2.0  # seconds after which work asks again for a lease that another scheduler holds
_PAUSE_FIRST, _PAUSE_CAP = 0.2, 2.0  # seconds between attempts during an outage


class LedWork(Work, Protocol):
    """Work that one scheduler does at a time."""

    @property
    def lease(self) -> Lease:
        """The right to do it."""

    def release(self) -> None:
        """Let another scheduler do it at once.

        Raises:
            QueueUnavailable: Redis did not answer; the lease ends by itself.
        """


class UnderLease:
    """Work on a queue, under a lease in its Redis.

    Args:
        queue: the queue.
        key: of the lease.
        seconds: how long its work may go without asking for it.

    Attributes:
        lease: the right to do it.
    """

    def __init__(self, queue: Queue, key: str, seconds: float) -> None:
        self.lease = Lease(key, seconds)
        self._queue = queue

    def hold(self) -> bool:
        """Take the lease, or keep it. Returns whether it is ours.

        Raises:
            QueueUnavailable: Redis did not answer.
        """
        return self.lease.hold(self._queue.redis)

    def release(self) -> None:
        """Let another scheduler do it at once.

        Raises:
            QueueUnavailable: Redis did not answer; the lease ends by itself.
        """
        self.lease.release(self._queue.redis)


def go_round(work: LedWork, turn: Callable[[], float], stop: threading.Event, troubles: Troubles) -> None:
    """Take turns until told to stop, then let go of the lease. An outage is waited for, and told once a minute.

    Args:
        work: whose turns; its lease is given back in an outage too: another scheduler may reach what this one cannot.
        turn: asks for the lease, then does what is to be done now, or waits no longer than ``BLOCK`` for it; returns
            seconds to rest after it. A rest ends sooner where the lease was another's and is ours now.
        stop: set to end.
        troubles: told of outages.
    """
    pause = _PAUSE_FIRST
    while not stop.is_set():
        try:
            rest = turn()
        except EnvoiError as error:
            troubles.tell(work.name, error)
            _let_go(work, troubles)
            stop.wait(pause)
            pause = min(2 * pause, _PAUSE_CAP)
            continue
        pause = _PAUSE_FIRST
        troubles.over(work.name)
        work.lease.note_run()
        if rest > 0:
            work.lease.wait(stop, rest)
    _let_go(work, troubles)


def _let_go(work: LedWork, troubles: Troubles) -> None:
    try:
        work.release()
    except QueueUnavailable as error:
        troubles.tell(work.name, error)
