"""What the doctor reads of the queue, in a few trips, none of which grows with the number of jobs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from envoi.doctor.waits import waits_of
from envoi.queue.connection import translated
from envoi.queue.queue import Queue
from envoi.queue.schedulers import Sign, read_signs
from envoi.queue.scripts import ALL, script
from envoi.settings import Settings

PAGES = 500  # whose waiting jobs are looked at
_SCAN = 1.0  # seconds that apps' streams are searched for among all keys
_LATE = 5.0  # seconds: a lease or a due time that is over for so long was not seen by any scheduler


@dataclass(frozen=True, slots=True)
class Backlog:
    """A stream that somebody should be reading.

    Attributes:
        entries: how many wait.
        age: seconds since the oldest was appended.
    """

    entries: int
    age: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """Jobs that wait for their pages, which may send now, in one lane.

    Attributes:
        conversations: how many wait.
        oldest: seconds that the longest waiting of the heads has waited since it was enqueued, or since its time.
        page: whose it is.
    """

    conversations: int = 0
    oldest: float = 0.0
    page: str = ""


@dataclass(frozen=True, slots=True)
class QueueFacts:
    """A queue at one moment. Ages are seconds, by Redis's clock.

    Attributes:
        run: of Redis.
        epoch: the run that the queue is open for; None: none.
        recovering: whether `envoi recover` is at work, or was less than a minute ago.
        missing: scripts of this version that are not loaded.
        back: workers that have come back in this run.
        workers: registered workers, by seconds since they were last heard of.
        schedulers: the same of schedulers, with what they said.
        bells: unread ones.
        template: whether there is a bell to copy.
        held: conversations that workers hold.
        overdue: leases and due times that are over for long, and that no scheduler has moved.
        events: not logged yet.
        aside: events that could not be logged.
        tasks: outcomes to be published as Celery tasks.
        streams: outcomes that apps read themselves, by stream.
        all_streams: whether every stream was found in time.
        notices, receipts: of webhooks, not applied or logged yet.
        door: why nothing is enqueued now; None: it is open.
        lanes: what waits, by lane.
        pages_seen: of how many pages, of so many that there are.
    """

    settings: Settings
    run: str
    epoch: str | None
    recovering: bool
    missing: list[str]
    back: set[str]
    workers: Mapping[str, float]
    schedulers: Mapping[str, tuple[float, Sign]]
    bells: int
    template: bool
    held: int
    overdue: int
    events: Backlog
    aside: int
    tasks: Backlog
    streams: Mapping[str, Backlog]
    all_streams: bool
    notices: int
    receipts: int
    door: str | None
    lanes: Mapping[str, Waiting]
    pages_seen: tuple[int, int]


def read_queue(queue: Queue, *, streams: bool = True) -> QueueFacts:
    """Look at a queue.

    Args:
        queue: which.
        streams: whether apps' streams are searched for, which takes up to a second where there are many keys.

    Raises:
        QueueUnavailable: Redis did not answer.
    """
    run, now = queue.run_id(), queue.time()
    counts, (known, pages) = _counts(queue, now), known_pages(queue)
    found, complete = _app_streams(queue) if streams else ([], False)
    names = [queue.keys.events, queue.keys.tasks, *(queue.keys.outcomes(name) for name in found)]
    events, tasks, *told = _backlogs(queue, names, now)
    return QueueFacts(
        settings=queue.settings,
        run=run,
        **_life(queue, run, now),
        bells=counts["bells"],
        template=queue.has_template(),
        held=counts["held"],
        overdue=counts["late leases"] + counts["late dues"] + counts["late starts"],
        events=events,
        aside=counts["aside"],
        tasks=tasks,
        streams=dict(zip(found, told, strict=True)),
        all_streams=complete,
        notices=counts["notices"],
        receipts=counts["receipts"],
        door=queue.door(),
        lanes={lane: _waiting(queue, pages, letter, now) for lane, letter in (("replies", "r"), ("bulk", "b"))},
        pages_seen=(len(pages), known),
    )


def _life(queue: Queue, run: str, now: float) -> dict[str, Any]:
    """The gate, and who gives signs of life."""
    keys = queue.keys
    with translated(), queue.redis.pipeline(transaction=False) as pipe:
        pipe.get(keys.epoch)
        pipe.exists(keys.recovery)
        pipe.script_exists(*(script(name).sha for name in ALL))
        pipe.smembers(keys.back(run))
        pipe.zrange(keys.workers, 0, -1, withscores=True)
        pipe.hgetall(keys.schedulers)
        epoch, recovering, loaded, back, workers, register = pipe.execute()
    return {
        "epoch": epoch,
        "recovering": bool(recovering),
        "missing": [name for name, there in zip(ALL, loaded, strict=True) if not there],
        "back": set(back),
        "workers": {name: max(0.0, now - float(heard)) for name, heard in workers},
        "schedulers": read_signs(register, now),
    }


def _counts(queue: Queue, now: float) -> dict[str, int]:
    keys, late = queue.keys, now - _LATE
    with translated(), queue.redis.pipeline(transaction=False) as pipe:
        asked = {
            "bells": pipe.llen(keys.bells),
            "held": pipe.zcard(f"{keys.base}lease"),
            "late leases": pipe.zcount(f"{keys.base}lease", "-inf", late),
            "late dues": pipe.zcount(f"{keys.base}due", "-inf", late),
            "late starts": pipe.zcount(f"{keys.base}at", "-inf", late),
            "aside": pipe.llen(f"{keys.base}ev:bad"),
            "notices": pipe.xlen(keys.told),
            "receipts": pipe.xlen(keys.receipts),
        }
        return dict(zip(asked, pipe.execute(), strict=True))


def known_pages(queue: Queue) -> tuple[int, list[str]]:
    """How many pages ever had a job, and the first of them."""
    key = f"{queue.keys.base}known"
    with translated(), queue.redis.pipeline(transaction=False) as pipe:
        pipe.zcard(key)
        pipe.zrange(key, 0, PAGES - 1)
        count, pages = pipe.execute()
    return int(count), list(pages)


def _app_streams(queue: Queue) -> tuple[list[str], bool]:
    """The streams that apps read outcomes from, as far as they are found in a second; and whether that is all."""
    prefix, found, cursor, until = queue.keys.outcomes(""), set(), 0, time.monotonic() + _SCAN
    while True:
        with translated():
            cursor, names = queue.redis.scan(cursor, match=f"{prefix}*", count=1000, _type="stream")
        found |= {str(name).removeprefix(prefix) for name in names}
        if cursor == 0 or time.monotonic() > until:
            return sorted(found), cursor == 0


def _backlogs(queue: Queue, streams: Sequence[str], now: float) -> list[Backlog]:
    with translated(), queue.redis.pipeline(transaction=False) as pipe:
        for stream in streams:
            pipe.xlen(stream)
            pipe.xrange(stream, count=1)
        answers = pipe.execute()
    found = []
    for length, oldest in zip(answers[::2], answers[1::2], strict=True):
        age = now - int(oldest[0][0].partition("-")[0]) / 1e3 if oldest else 0.0
        found.append(Backlog(length, max(0.0, age)))
    return found


def _waiting(queue: Queue, pages: Sequence[str], lane: str, now: float) -> Waiting:
    """What waits in a lane for pages that are neither paused nor held."""
    found = [wait for wait in waits_of(queue, pages, lane, now) if wait.sends]
    oldest, page = max(((wait.oldest, wait.page) for wait in found), default=(0.0, ""))
    return Waiting(sum(wait.conversations for wait in found), oldest, page)
