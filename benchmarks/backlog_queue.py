"""A queue in a Redis of its own that a given number of jobs wait in, and a worker's trips to it, without the calls."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.meter import Cost, Meter
from benchmarks.work import page_ids
from demo.redis_server import RedisServer
from envoi import Job
from envoi.events import CallRecord
from envoi.queue.begin import Begin, Go
from envoi.queue.claim import Claim, Claimed
from envoi.queue.commands import Command
from envoi.queue.connection import connect
from envoi.queue.done import Done
from envoi.queue.queue import Queue
from envoi.settings import Settings
from envoi.states import State

TRIP = 8  # conversations that share a trip
DUE = 100  # jobs that come due for one tick
_BATCH = 500  # jobs of one enqueue
_TRIM = 10  # batches after which the stream of events is trimmed, as the log writer would
_FIRST_PERSON = 5_000_000_000_000_001
_TEXT = "Your parcel has left our house in Lyon and takes two days. Reply to this message if it does not. Thanks!"[:100]
_NO_LIMIT = 1_000_000.0  # messages a second: a page's pace is not what is measured


class WentWrong(Exception):  # noqa: N818  # says what is wrong
    """The queue answered otherwise than it must here, so the figures would be of something else."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What waits.

    Attributes:
        pages: how many pages send.
        jobs_each: jobs for each person, in a row.
        scheduled: they wait for a time days away, not in their lines.
    """

    pages: int = 1
    jobs_each: int = 1
    scheduled: bool = False


class Backlog:
    """So many jobs wait, and as many after each measurement.

    Attributes:
        job_bytes: memory of Redis for each of them, their events in SQL.
        event_bytes: what the event of a job takes while it is not in SQL yet.
    """

    def __init__(self, redis_url: str, kind: Kind) -> None:
        self._kind = kind
        self._db: Any = connect(redis_url)  # redis-py types every answer as text or bytes; here it is text
        self._meter = Meter(self._db)
        self._db.config_set("auto-aof-rewrite-percentage", 0)  # no copy of the process is made while it is measured
        self._queue = Queue(self._db, Settings(page_calls=10_000, pace_margin=0.0, events_cap=10_000_000))
        self._queue.open_gate(self._queue.run_id())
        self._pages = page_ids(kind.pages)
        for page in self._pages:
            self._queue.configure(page, pace=_NO_LIMIT)
        self._numbers = itertools.count()
        self._claims = itertools.count()
        self.job_bytes = self.event_bytes = 0.0

    def fill(self, jobs: int) -> None:
        """Enqueue so many, and see what memory they take."""
        before, first = self._meter.memory(), min(jobs, 1000)
        self._enqueue(first, scheduled=self._kind.scheduled)
        with_events = self._meter.memory()
        self._trim()
        self.event_bytes = (with_events - self._meter.memory()) / first
        self._enqueue(jobs - first, scheduled=self._kind.scheduled)
        self._trim()
        self.job_bytes = (self._meter.memory() - before) / jobs

    def work(self, jobs: int) -> Cost:
        """Enqueue so many more, then take as many to their end. Answers what one of them took, enqueueing apart."""
        self._enqueue(max(0, jobs - self._left_by_ticks()))
        turns = jobs // TRIP
        before = self._meter.cost()
        held = self._claimed([self._claim()])
        for turn in range(turns):
            held = self._turn(held, last=turn == turns - 1)
        cost = self._meter.cost().since(before, turns * TRIP)
        self._trim()
        return cost

    def tick(self, ticks: int) -> Cost:
        """Let a scheduler tick with nothing due. Answers what one tick took."""
        before = self._meter.cost()
        for _ in range(ticks):
            if self._queue.tick().entered:
                raise WentWrong("a job came due that should not have")
        return self._meter.cost().since(before, ticks)

    def bring_due(self) -> Cost:
        """Let ``DUE`` scheduled jobs come due together. Answers what one of them took to enter its line."""
        at = datetime.fromtimestamp(self._queue.time() + 0.3, UTC)
        self._queue.enqueue([self._job(at) for _ in range(DUE)])
        while self._queue.time() <= at.timestamp():
            time.sleep(0.02)
        before = self._meter.cost()
        moved = self._queue.tick(DUE)
        if moved.entered != DUE:
            raise WentWrong(f"{moved.entered} of {DUE} jobs that were due entered their lines")
        self._late_entries = DUE
        return self._meter.cost().since(before, DUE)

    # ---- jobs

    _late_entries = 0

    def _left_by_ticks(self) -> int:
        entered, self._late_entries = self._late_entries, 0
        return entered

    def _enqueue(self, jobs: int, *, scheduled: bool = False) -> None:
        start = datetime.now(UTC) + timedelta(days=2)
        for batch, first in enumerate(range(0, jobs, _BATCH)):
            count = min(_BATCH, jobs - first)
            self._queue.enqueue(
                [self._job(start + timedelta(milliseconds=first + n) if scheduled else None) for n in range(count)]
            )
            if batch % _TRIM == _TRIM - 1:
                self._trim()

    def _job(self, at: datetime | None) -> Job:
        person = next(self._numbers) // self._kind.jobs_each
        page = self._pages[person % len(self._pages)]
        return Job(page=page, recipient=str(_FIRST_PERSON + person), message=_TEXT, lane="bulk", at=at)

    def _trim(self) -> None:
        """What the log writer does once events are in SQL."""
        self._db.xtrim(self._queue.keys.events, maxlen=0, approximate=False)

    # ---- trips

    def _claim(self) -> Claim:
        return Claim(TRIP, f"bench:{next(self._claims):x}")

    def _turn(self, held: list[Claimed], *, last: bool) -> list[Claimed]:
        """Three trips: begin; the message's answer; the end of these, and the next ones."""
        for answer in self._queue.trip([Begin(one, time.time(), [_call("typing_on")]) for one in held]):
            if not isinstance(answer, Go):
                raise WentWrong(f"begin answered {answer}")
        self._all_ok([self._kept(one) for one in held])
        ended: list[Command] = [
            Done(one, "settle", [_call("typing_off")], state=State.SENT, message_id=_mid(one), recipient_id="1")
            for one in held
        ]
        if last:
            self._all_ok(ended)
            return []
        return self._claimed([*ended, self._claim()])

    def _kept(self, one: Claimed) -> Done:
        return Done(one, "keep", [_call("message")], message_id=_mid(one), recipient_id="1")

    def _all_ok(self, commands: list[Done] | list[Command]) -> None:
        answers = set(self._queue.trip(commands))
        if answers != {"ok"}:
            raise WentWrong(f"done answered {answers}")

    def _claimed(self, commands: list[Command]) -> list[Claimed]:
        *ended, catch = self._queue.trip(commands)
        if set(ended) - {"ok"} or len(catch.claimed) != TRIP:
            raise WentWrong(f"done answered {set(ended)}, and a claim brought {len(catch.claimed)}")
        held: list[Claimed] = catch.claimed
        return held


@contextmanager
def backlog(kind: Kind) -> Iterator[Backlog]:
    """Run a Redis (AOF, fsync every second) with an open, empty queue."""
    with RedisServer() as server:
        yield Backlog(server.url, kind)


def _mid(one: Claimed) -> str:
    return f"m_{one.job_id}"


def _call(step: str) -> CallRecord:
    return CallRecord(step=step, started_at=time.time(), duration_ms=97.0, verdict="Accepted", http_status=200)
