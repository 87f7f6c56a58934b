"""The recovery of a wiped queue from its log: every job without outcome, in order, none sent again blindly."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import TypeVar

from sqlalchemy import Engine

from envoi.errors import UnknownJob
from envoi.log.milestones import Milestones
from envoi.log.pages import PageStore
from envoi.log.standings import holds_of, opt_outs_of, released_of
from envoi.queue.queue import Queue
from envoi.recovery.backlog import Backlog
from envoi.recovery.front import in_front, reach
from envoi.recovery.gap import gap_of
from envoi.recovery.introduction import introduce
from envoi.recovery.placing import placed
from envoi.recovery.putback import NotWiped, OtherQueue, PutBack, Returning, moment
from envoi.recovery.stored import StoredJob
from envoi.window import KEPT

_BATCH = 200  # jobs in one script: bounds the time that Redis does nothing else
_CUT = 1.0  # seconds: a time that had come by then may have been acted on
_POLL = 0.5
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a recovery did.

    Attributes:
        jobs: put back by this run.
        doubted: of them, heads of lines that wait for facts now.
        keys: of settled jobs, put back.
        sent: jobs that were found sent by facts that came after the wipe.
        seconds: that it took.
    """

    jobs: int
    doubted: int
    keys: int
    sent: int
    seconds: float


class Recovery:
    """One recovery. May be interrupted and run again; of two at once one is refused.

    Args:
        queue: of the wiped Redis.
        engine: the log's database.
        lost: seconds before the wipe that the log may lack, if an operator knows better than the milestones.
        tell: told of progress: what is being done, jobs put back so far, and of how many.
        sleep: waits for so many seconds.

    Raises:
        NotWiped: the queue has an epoch.
        QueueUnavailable, LogUnavailable, SchemaMissing: a server failed.
    """

    def __init__(
        self,
        queue: Queue,
        engine: Engine,
        *,
        lost: float | None = None,
        tell: Callable[[str, int, int], None] = lambda _what, _done, _of: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._queue = queue
        self._engine = engine
        self._milestones = Milestones(engine)
        self._backlog = Backlog(engine)
        self._pages = PageStore(engine, None)
        self._tell = tell
        self._sleep = sleep
        if queue.epoch() is not None:
            raise NotWiped("this queue has an epoch: there is nothing to recover")
        self._put_back = PutBack(queue)
        self._complete = self._milestones.complete()
        self.gap = gap_of(queue, self._put_back.run, self._backlog, self._milestones, self._complete, lost=lost)
        default = queue.settings
        self._default = reach(self.gap.lost, default)
        self._reaches = {
            page.id: reach(self.gap.lost, default, page.pace, page.cap, instagram=page.platform == "instagram")
            for page in self._pages.list()
        }

    def count(self) -> tuple[int, int]:
        """How many jobs are to be put back, and in how many conversations the waiting head may have been begun."""
        return self._backlog.count(), len(self._front())

    def run(self) -> Recovered:
        """Put everything back and let producers in.

        Raises:
            RecoveryBusy, OtherQueue: see there. What was put back so far stays.
            QueueUnavailable, LogUnavailable, SchemaMissing: a server failed. Run it again.
        """
        began = time.monotonic()
        self._put_back.begin()
        try:
            self._wait_for_leases()
            introduce(self._queue, self._pages.list())
            self._hear()
            self._put_back.restore_standings(holds_of(self._engine), opt_outs_of(self._engine))
            keys = self._remember()
            jobs, doubted = self._put()
            sent = self._take_facts()
            self._check_alone()
            self._put_back.finish()
        except BaseException:
            self._put_back.release()
            raise
        self._milestones.recovered()
        return Recovered(jobs, doubted, keys, sent, time.monotonic() - began)

    def _wait_for_leases(self) -> None:
        """What was allowed to begin before the wipe has begun: nobody starts a call later than his lease."""
        ends = self.gap.wiped + self._queue.settings.lease
        while (left := ends - self._queue.time()) > 0:
            self._tell("waiting for the leases of workers to run out", 0, 0)
            self._sleep(min(left, _POLL))
            self._put_back.begin()
        self._check_alone()

    def _check_alone(self) -> None:
        if self._milestones.complete() != self._complete:
            raise OtherQueue(
                "another queue writes to this log, so its Redis is not wiped: correct ENVOI_REDIS_URL. If it was put "
                "into operation just now, with the jobs of this log, stop it first"
            )

    def _remember(self) -> int:
        settings, now = self._queue.settings, self._queue.time()
        since = moment(now) - timedelta(seconds=max(settings.key_ttl, settings.status_ttl))
        with closing(self._backlog.settled_since(since)) as found:
            return sum(self._put_back.remember(jobs, now) for jobs in _batches(found))

    def _hear(self) -> None:
        now = self._queue.time()
        with closing(self._backlog.heard_since(moment(now - KEPT))) as found:
            for people in _batches(found):
                self._put_back.hear(people, now)

    def _front(self) -> set[str]:
        horizon = moment(self.gap.wiped + _CUT)
        held = {hold.conversation for hold in holds_of(self._engine)}
        uncounted = {one.conversation for one in opt_outs_of(self._engine)} | released_of(self._engine)
        with closing(self._backlog.heads(horizon)) as heads:
            # A release counts after the loss bound: in a shorter gap none can have let anything go.
            released = self.gap.lost > self._queue.settings.loss_bound
            return in_front(heads, horizon, self._reaches, self._default, held, released=released, uncounted=uncounted)

    def _put(self) -> tuple[int, int]:
        front, total = self._front(), self._backlog.count()
        done = put = doubted = 0
        with closing(self._backlog.open_jobs()) as found:
            for jobs in _batches(found):
                new, unsure = self._put_back.put([self._placed(job, front) for job in jobs])
                done, put, doubted = done + len(jobs), put + new, doubted + unsure
                self._tell("putting jobs back", done, max(done, total))
        return put, doubted

    def _placed(self, job: StoredJob, front: set[str]) -> Returning:
        page = self._reaches.get(job.page or "", self._default)
        return placed(job, page, self.gap.wiped + _CUT, in_front=job.conversation in front)

    def _take_facts(self) -> int:
        """Facts that came since the wipe, when no queue knew their jobs. First those that are not logged yet."""
        sent = 0
        for job_id, message_id, recipient_id in [*self._put_back.told(), *self._backlog.sent_but_open()]:
            try:
                sent += self._queue.prove_sent(job_id, message_id, recipient_id) == "settled"
            except UnknownJob:
                continue  # it had its outcome before, and the log has it
        return sent


def _batches(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    left = iter(items)
    while batch := list(islice(left, _BATCH)):
        yield batch
