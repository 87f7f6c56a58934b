"""The feeder: enqueues broadcasts, a little ahead of their pages' pace, and learns what became of each job.

A broadcast of a million people must not fill Redis, must be stoppable, and must outlast everything: so it waits in SQL.
What makes every person be sent the message once is the job id, which is in the person's row from the beginning, and
the order of writing: the row says ``feeding``, then the job is enqueued, then the row says ``fed`` (decision 8).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog
from sqlalchemy import Engine

from envoi.broadcast.states import FED, FEEDING, RECALLED, BroadcastState
from envoi.broadcast.template import Template
from envoi.log.milestones import Milestones
from envoi.queue.queue import Queue
from envoi.states import State
from scheduler.fed import Active, Round
from scheduler.feed_door import FeedDoor
from scheduler.feed_lost import LostJobs
from scheduler.feed_rows import FeedRows
from scheduler.feeding import BATCH, ENDED_BATCH, Feeding
from scheduler.rounds import STANDBY, UnderLease, go_round
from scheduler.troubles import Troubles

_BROADCASTS = 50  # served in one turn
_PERIOD = 0.5  # seconds between two turns while something runs
_IDLE = 1.0  # seconds between two looks for a broadcast
_LEASE = 10.0  # seconds that one broadcast's turn may take; two at once would do the same work twice, no more
_CANCELS = 1.0  # seconds in one turn for cancelling jobs, one by one

log = structlog.get_logger()


class Feeder(UnderLease):
    """Feeds the broadcasts of one log into one queue. One thread at a time may run it; several processes may.

    Args:
        queue: where jobs go.
        engine: the log's database.
        troubles: told of outages.
        clock: seconds, ever growing.
    """

    name = "feed"

    def __init__(
        self,
        queue: Queue,
        engine: Engine,
        troubles: Troubles | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(queue, f"{queue.keys.base}feeder", _LEASE)
        self._rows = FeedRows(engine)
        self._door = FeedDoor(queue)
        self._lost = LostJobs(self._rows, self._door, queue.settings.keep_jobs)
        self._feeding = Feeding(self._rows, self._door, queue.settings, clock)
        self._milestones = Milestones(engine)
        self._troubles = troubles or Troubles()
        self._clock = clock
        self._served = ""  # the broadcast that was served last: each has its turn
        self._settled_to: dict[str, int] = {}  # by broadcast, how far the recipients were looked at
        self._busy = False
        self._stopping = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Feed until told to stop. An outage is waited for."""
        self._stopping = stop
        go_round(self, self._go, stop, self._troubles)

    def turn(self) -> bool:
        """Serve some broadcasts, each in bounded steps. Returns whether there is more to do at once.

        Raises:
            LogUnavailable, SchemaMissing: the database failed.
            QueueUnavailable, QueueFull, Recovering: the queue takes nothing now; nothing is lost.
        """
        if not self.hold():
            return False
        found = self._rows.active(self._served, _BROADCASTS)
        if not found and self._served:
            found = self._rows.active("", _BROADCASTS)
        self._busy = bool(found)
        if not found:
            self._served = ""
            return False
        more = False
        for broadcast in found:
            if self._stopping.is_set() or not self.hold():
                return False
            self._served = broadcast.id
            more |= self._serve(broadcast)
        return more

    def _go(self) -> float:
        if self.turn():
            return 0.0
        if not self.lease.mine:
            return STANDBY
        return _PERIOD if self._busy else _IDLE

    def _serve(self, broadcast: Active) -> bool:
        now, memory, milestone = self._door.now(), self._door.memory(), self._milestones.complete()
        mine = milestone is not None and memory.startswith(f"{milestone.run}:")
        this = Round(now, memory, milestone.at if milestone and mine else None)
        template = Template(broadcast.payload)
        more = self._learn(broadcast)
        self._lost.find(broadcast, template, this)
        if broadcast.state is BroadcastState.CANCELLING:
            more |= self._recall(broadcast)
        elif broadcast.state is BroadcastState.RUNNING:
            more |= self._feeding.feed(broadcast, template, this)
        if self._rows.end(broadcast.id, now):
            log.info("a broadcast has ended", action="broadcast_ended", broadcast=broadcast.id, page=broadcast.page)
            self._settled_to.pop(broadcast.id, None)
            self._lost.forget(broadcast.id)
            return False
        return more

    def _learn(self, broadcast: Active) -> bool:
        _, after = self._rows.settle(broadcast.id, self._settled_to.get(broadcast.id, 0), 2 * BATCH)
        self._settled_to[broadcast.id] = after
        return after > 0

    def _recall(self, broadcast: Active) -> bool:
        """Take back what is not begun, and give those who were never enqueued their outcome."""
        held = self._rows.open(broadcast.id, BATCH, FEEDING, FED)
        done: list[int] = []
        until = self._clock() + _CANCELS
        try:
            for number, job_id in held:
                if self._clock() > until or self._stopping.is_set():
                    break
                self._door.cancel(job_id)
                done.append(number)
        finally:  # also those before an outage
            self._rows.move(broadcast.id, done, (FEEDING, FED), RECALLED)
        ended = self._rows.end_pending(broadcast.id, State.CANCELLED, ENDED_BATCH, BroadcastState.CANCELLING)
        return ended == ENDED_BATCH or len(held) == BATCH
