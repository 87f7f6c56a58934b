"""The keeper: gives signs of life for all work that a scheduler leads, and takes over what another has let go.

A turn of such work may wait for SQL, for the Graph API or for a broker much longer than a dead scheduler's work may lie
still. So the sign of life is not the turn's: one small thread renews all leases with one script (decision 12).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

import redis
import structlog

from envoi.queue.connection import translated
from scheduler.lease import Lease, ask_for
from scheduler.troubles import Troubles

PERIOD = 0.4  # seconds between two signs of life; two may be missed. A take-over takes this and a lease's time

log = structlog.get_logger()


class Keeper:
    """Keeps the leases of one scheduler. One thread at a time may run it.

    Args:
        client: of the Redis that holds them.
        holder: the scheduler's name, which no other has.
        leases: by the name of the work.
        troubles: told of outages.
        clock: seconds, ever growing.
    """

    name = "keeper"

    def __init__(
        self,
        client: redis.Redis,
        holder: str,
        leases: Mapping[str, Lease],
        troubles: Troubles,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.leases = leases
        self._redis = client
        self._troubles = troubles
        self._clock = clock
        self._told: set[str] = set()  # what the log says that this scheduler leads
        for lease in leases.values():
            lease.keep(holder)

    def run(self, stop: threading.Event) -> None:
        """Keep until told to stop. Work gives back its leases itself; what it holds on to runs out."""
        while not stop.wait(PERIOD):
            with self._troubles.turn_of(self.name):
                self.turn()

    def turn(self) -> None:
        """Give a sign of life for all work that asked for its lease lately; take those that are free.

        Raises:
            QueueUnavailable: Redis did not answer.
        """
        wanted = [lease for lease in self.leases.values() if lease.wanted]
        if wanted:
            asked_at = self._clock()
            with translated():
                holders = ask_for(wanted, self._redis)
                for lease, holder in zip(wanted, holders, strict=True):
                    lease.hear([holder], asked_at)
                    if lease.given_up:  # meanwhile: it may have been taken again after it was given back
                        lease.release(self._redis)
        self._tell()

    def _tell(self) -> None:
        """One line on what this scheduler leads from now on, one on what it leads no more."""
        held = {name for name, lease in self.leases.items() if lease.mine}
        gained = {name for name in held - self._told if self.leases[name].leads}
        if gained:
            after = sorted({other for name in gained if (other := self.leases[name].other)})
            log.info("leads", action="lead", works=sorted(gained), after=after)
        lost = {name for name in self._told - held if not self.leases[name].given_up}
        if lost:
            now = sorted({other for name in lost if (other := self.leases[name].other)})
            text = "leads no more: no sign of life in time; another scheduler goes on"
            log.warning(text, action="lead_lost", works=sorted(lost), to=now)
        self._told = (self._told & held) | gained
