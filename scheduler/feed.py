"""The feeder: enqueues broadcasts, a little ahead of their pages' pace, and learns what became of each job.

A broadcast of a million people must not fill Redis, must be stoppable, and must outlast everything: so it waits in SQL.
What makes every person be sent the message once is the job id, which is in the person's row from the beginning, and
the order of writing: the row says ``feeding``, then the job is enqueued, then the row says ``fed`` (decision 8).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import structlog
from sqlalchemy import Engine

from envoi.broadcast.states import FED, FEEDING, RECALLED, BroadcastState
from envoi.broadcast.template import Template
from envoi.log.milestones import Milestones
from envoi.queue.queue import Queue
from envoi.states import State
from scheduler.feed_door import FeedDoor
from scheduler.feed_lost import LOGGED_BY, LostJobs, Round
from scheduler.feed_rows import Active, Fed, FeedRows
from scheduler.rounds import STANDBY, Led, go_round
from scheduler.troubles import Troubles

BATCH = 500  # recipients of one broadcast in one turn
ENDED_BATCH = 2000  # recipients that were never enqueued, which is quick
_BROADCASTS = 50  # served in one turn
_PERIOD = 0.5  # seconds between two turns while something runs
_IDLE = 1.0  # seconds between two looks for a broadcast
_LEASE = 10.0  # seconds that one broadcast's turn may take; two at once would do the same work twice, no more
_PATIENCE = 10.0  # seconds after writing down what is to be enqueued; later it is for the next turn to see
_CANCELS = 1.0  # seconds in one turn for cancelling jobs, one by one
_OPEN_TIMES = 5  # what is enqueued without outcome, in units of what goes out ahead: retries may pile up

log = structlog.get_logger()


class Feeder(Led):
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
            more |= self._feed(broadcast, template, this)
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

    def _feed(self, broadcast: Active, template: Template, this: Round) -> bool:
        if template.expires_at is not None and template.expires_at.timestamp() <= this.now:
            ended = self._rows.end_pending(broadcast.id, State.EXPIRED, ENDED_BATCH, BroadcastState.RUNNING)
            return ended == ENDED_BATCH
        if broadcast.starts_at is not None and broadcast.starts_at.timestamp() > this.now:
            return False
        left_over = self._rows.feeding(broadcast.id, BATCH)
        if left_over:
            moved = self._feed_again(broadcast, template, left_over, this)
            return moved == BATCH
        limit = self._room(broadcast, template)
        meant_at = self._clock()
        people = self._rows.mean_to_feed(broadcast.id, limit, this.now, this.memory) if limit else []
        if people and self._clock() - meant_at <= _PATIENCE:
            self._enqueue(broadcast, template, people)
        return len(people) == BATCH

    def _room(self, broadcast: Active, template: Template) -> int:
        """How many may be enqueued now: the broadcast's share of what its page can take, within bounds."""
        room = self._door.room(broadcast.page, media=template.media)
        if room.free == 0:
            return 0
        share = -(-room.free // max(1, self._rows.running(broadcast.page)))
        most = _OPEN_TIMES * room.ahead
        return max(0, min(BATCH, share, most - self._rows.enqueued(broadcast.id, most)))

    def _feed_again(self, broadcast: Active, template: Template, left_over: Sequence[Fed], this: Round) -> int:
        """Whoever fed these did not come to its end. Returns how many are not left over any more.

        Those that the log knows, or that another memory of Redis may have known, count as fed; the latter will be found
        lost, and looked for. The others are enqueued under the same ids: what Redis knows it does not take twice.
        """
        done = [one.number for one in left_over if one.logged or one.memory != this.memory]
        self._rows.move(broadcast.id, done, (FEEDING,), FED)
        again = [one for one in left_over if not one.logged and one.memory == this.memory]
        again = [one for one in again if self._remembered(one, this)]
        if again:
            self._enqueue(broadcast, template, again)
        return len(done) + len(again)

    def _remembered(self, person: Fed, this: Round) -> bool:
        """Whether Redis would still know this job, or the log would know it by now."""
        since = this.now - person.fed_at.timestamp()
        ttl = min(self._queue.settings.status_ttl, self._queue.settings.key_ttl)
        return since < ttl / 2 or (this.complete is not None and this.complete > person.fed_at.timestamp() + LOGGED_BY)

    def _enqueue(self, broadcast: Active, template: Template, people: Sequence[Fed]) -> None:
        taken = self._door.enqueue(broadcast.id, template, people)
        self._rows.confirm(broadcast.id, taken.ids, taken.refused, self._door.now())
        if taken.refused:
            causes = sorted({one.cause for one in taken.refused})
            log.info(
                "some of a broadcast were refused at the door",
                action="broadcast_refused",
                broadcast=broadcast.id,
                count=len(taken.refused),
                causes=causes,
            )

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
