"""What the doctor reads of the queue, in a few trips, none of which grows with the number of jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from envoi.doctor.counts import read_counts
from envoi.doctor.streams import Backlog, app_streams, read_backlogs
from envoi.doctor.waiting import Waiting, read_lines, read_waiting, some_pages
from envoi.queue.connection import translated
from envoi.queue.queue import Queue
from envoi.queue.schedulers import Sign, read_signs
from envoi.queue.scripts import ALL, script
from envoi.settings import Settings


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


def read_queue(queue: Queue, *, all_streams: bool = True) -> QueueFacts:
    """Look at a queue.

    Args:
        queue: which.
        all_streams: search for apps' streams, which takes up to a second where there are many keys.

    Raises:
        QueueUnavailable: Redis did not answer.
    """
    run, now = queue.run_id(), queue.time()
    counts, (known, pages) = read_counts(queue, now), some_pages(queue)
    lines = read_lines(queue, pages, now)
    streams, complete = app_streams(queue) if all_streams else ([], False)
    names = [queue.keys.events, queue.keys.tasks, *(queue.keys.outcomes(name) for name in streams)]
    events, tasks, *told = read_backlogs(queue, names, now)
    return QueueFacts(
        settings=queue.settings,
        run=run,
        **read_life(queue, run, now),
        bells=counts.bells,
        template=queue.has_template(),
        held=counts.leases,
        overdue=counts.overdue,
        events=events,
        aside=counts.aside,
        tasks=tasks,
        streams=dict(zip(streams, told, strict=True)),
        all_streams=complete,
        notices=counts.notices,
        receipts=counts.receipts,
        door=queue.door(),
        lanes={lane: read_waiting(queue, lines, lane, now) for lane in ("replies", "bulk")},
        pages_seen=(len(pages), known),
    )


def read_life(queue: Queue, run: str, now: float) -> dict[str, Any]:
    """The gate, and who gives signs of life: the fields of :class:`QueueFacts` of these names.

    Raises:
        QueueUnavailable: Redis did not answer.
    """
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
