"""Feeding: enqueues the next people of one broadcast, as many as its page can take."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from envoi.broadcast.states import FED, FEEDING, BroadcastState
from envoi.broadcast.template import Template
from envoi.settings import Settings
from envoi.states import State
from scheduler.fed import Active, Fed, Round
from scheduler.feed_door import FeedDoor
from scheduler.feed_lost import LOGGED_BY
from scheduler.feed_rows import FeedRows

BATCH = 500  # recipients of one broadcast in one turn
ENDED_BATCH = 2000  # recipients that were never enqueued, which is quick
_PATIENCE = 10.0  # seconds after writing down what is to be enqueued; later it is for the next turn to see
_OPEN_TIMES = 5  # what is enqueued without outcome, in units of what goes out ahead: retries may pile up

log = structlog.get_logger()


class Feeding:
    """Feeds from a log into a queue.

    Args:
        rows: of the broadcasts.
        door: of their queue.
        settings: how long Redis remembers.
        clock: seconds, ever growing.
    """

    def __init__(self, rows: FeedRows, door: FeedDoor, settings: Settings, clock: Callable[[], float]) -> None:
        self._rows = rows
        self._door = door
        self._settings = settings
        self._clock = clock

    def feed(self, broadcast: Active, template: Template, this: Round) -> bool:
        """Enqueue the next people of a running broadcast. Returns whether there is more to do at once.

        Raises:
            LogUnavailable, SchemaMissing: the database failed.
            QueueUnavailable, QueueFull, Recovering: the queue takes nothing now; nothing is lost.
        """
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
        ttl = min(self._settings.status_ttl, self._settings.key_ttl)
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
