"""Signs of life: a scheduler says in Redis that it is there, what it leads and how it fares, for `envoi doctor`."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping

from envoi.queue.queue import Queue
from envoi.queue.schedulers import Led, Sign, give_sign
from envoi.version import VERSION
from scheduler.duties import Record
from scheduler.lags import read_lags
from scheduler.lease import Lease
from scheduler.troubles import Troubles


class Register:
    """The duty that keeps a scheduler in the register.

    Args:
        queue: whose register.
        records: how the duties fare, by name.
        troubles: what is wrong now.
        leases: of the work that only one scheduler does, by its name.
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
        leases: Mapping[str, Lease] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.scheduler = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._queue = queue
        self._records = records
        self._troubles = troubles
        self._leases = leases or {}
        self._clock = clock

    def turn(self) -> bool:
        """Give a sign of life. Returns False: there is never more to do at once.

        Raises:
            QueueUnavailable: Redis did not answer.
        """
        now = self._clock()
        duties = {
            name: None if record.ended is None else _tenths(now - record.ended)
            for name, record in self._records().items()
            if name != self.name
        }
        sign = Sign(VERSION, duties, self._troubles.now(), self._led())
        give_sign(self._queue.redis, self._queue.keys, self.scheduler, sign)
        return False

    def _led(self) -> dict[str, Led]:
        led = {name: lease.ran_ago for name, lease in self._leases.items() if lease.leads}
        lags = read_lags(self._queue) if led else {}
        return {name: Led(_tenths(ago), _tenths(lags.get(name))) for name, ago in led.items()}


def _tenths(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
