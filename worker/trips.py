"""The engine's trips to Redis: one at a time, and none is waited for as long as there is something else to do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from envoi.errors import QueueUnavailable
from envoi.queue.queue import Queue
from worker.inbox import Inbox
from worker.lines import Lines
from worker.running import Asked, News, Wish
from worker.trip import answers_to

_ANSWER_WAIT = 5.0  # seconds for an answer to a trip, as for every other (envoi/queue/connection.py)


class Trips:
    """Of one engine, in its thread.

    Args:
        queue: where they go.
        inbox: brings what departed, once there are answers to be read.

    Attributes:
        asked: what is on its way; None: nothing is.
    """

    def __init__(self, queue: Queue, inbox: Inbox[News] | Lines) -> None:
        self.asked: Asked | None = None
        self._queue = queue
        self._inbox = inbox
        self._answers = False  # there are some to be read

    @property
    def due(self) -> bool:
        """Whether the answers can be read, or are not waited for any longer."""
        return self.asked is not None and (self._answers or time.monotonic() >= self.asked.until)

    def depart(self, wishes: list[Wish]) -> None:
        """Send wishes on a trip.

        Raises:
            QueueUnavailable: there is no connection.
        """
        now = time.monotonic()
        trip = self._queue.depart([wish.command for wish in wishes])
        number = trip.departed.fileno()
        self.asked = Asked(wishes, trip, number, now, now + _ANSWER_WAIT)
        self._answers = number is None or not self._inbox.put_when_readable(number, self.asked)

    def came(self, asked: Asked) -> None:
        """The inbox has brought what departed; perhaps of an earlier trip, that was not waited for."""
        self._answers = self._answers or asked is self.asked

    def answers(self, asked: Asked, when_shut: Callable[[], None]) -> list[Any]:
        """Read the answers to what is on its way, or give it up if that is overdue. Nothing is on its way then.

        Args:
            asked: what is on its way.
            when_shut: as for :meth:`Queue.trip`.

        Raises:
            QueueUnavailable: Redis did not answer; any of it may have been done.
        """
        late = not self._answers and time.monotonic() >= asked.until
        self.asked, self._answers = None, False
        if asked.number is not None:
            self._inbox.forget(asked.number)
        if late:
            asked.trip.departed.give_up()
            raise QueueUnavailable(f"Redis did not answer within {_ANSWER_WAIT:.0f} s")
        return answers_to(self._queue, asked.trip, when_shut)
