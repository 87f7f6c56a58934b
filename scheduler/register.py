"""Signs of life: a scheduler says in Redis that it is there and how its duties fare, for `envoi doctor`."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping

from envoi.queue.queue import Queue
from envoi.queue.schedulers import Sign, give_sign
from envoi.version import VERSION
from scheduler.duties import Record
from scheduler.troubles import Troubles


class Register:
    """The duty that keeps a scheduler in the register.

    Args:
        queue: whose register.
        records: how the duties fare, by name.
        troubles: what is wrong now.
        clock: that of the records.

    Attributes:
        scheduler: the scheduler's name: host, process, and what no other ever has.
    """

    name = "register"
    period = 5.0

    def __init__(
        self,
        queue: Queue,
        records: Callable[[], Mapping[str, Record]],
        troubles: Troubles,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.scheduler = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._queue = queue
        self._records = records
        self._troubles = troubles
        self._clock = clock

    def turn(self) -> bool:
        """Give a sign of life. Returns False: there is never more to do at once.

        Raises:
            QueueUnavailable: Redis did not answer.
        """
        now = self._clock()
        duties = {
            name: None if record.ended is None else round(now - record.ended, 1)
            for name, record in self._records().items()
            if name != self.name
        }
        sign = Sign(VERSION, duties, self._troubles.now())
        give_sign(self._queue.redis, self._queue.keys, self.scheduler, sign)
        return False
