"""Figures of the queue: what waits where, and for how long. Some round trips, whatever the number of jobs."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client.core import Metric

from envoi.doctor.counts import read_counts
from envoi.doctor.queue_facts import read_life
from envoi.doctor.streams import read_backlogs
from envoi.doctor.waiting import PAGES, PageLines, read_lines, some_pages, waited
from envoi.metrics import families
from envoi.metrics.exposition import exposed
from envoi.metrics.labels import Labels
from envoi.queue.queue import Queue
from envoi.queue.server import memory_of

_ALIVE = 15.0  # seconds since its last sign of life that a scheduler is taken to live: it gives one every 5
_TOKEN, _RESTRICTED = {"190", "102"}, {"368", "2022", "10904", "10/1893063", "10/1404170"}


@dataclass(frozen=True, slots=True)
class _Page:
    """What is kept of a page until it is looked at again.

    Attributes:
        state: ``open``, ``held`` or ``paused``.
        lengths: conversations that wait, by lane.
        oldest: seconds that the first of its lists has waited, by lane.
    """

    state: str
    reason: str | None
    lengths: Mapping[str, int]
    oldest: Mapping[str, float]


class QueueSample:
    """Reads figures of a queue. Of more than 500 pages it looks at 500 in a turn, at the next 500 in the next.

    Args:
        queue: whose.
    """

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._labels = Labels(queue.settings.metrics_pages)
        self._pages: dict[str, _Page] = {}
        self._next = 0

    def read(self) -> list[Metric]:
        """Take a sample.

        Raises:
            QueueUnavailable: Redis did not answer.
        """
        now = self._queue.time()
        self._look_at_pages(now)
        return [*self._sizes(now), *self._streams(now), *self._life(now), *self._memory(), *self._lines()]

    def _look_at_pages(self, now: float) -> None:
        known, pages = some_pages(self._queue, self._next)
        if known < len(self._pages):  # Redis was wiped
            self._pages.clear()
        for line in read_lines(self._queue, pages, now):
            self._pages[line.page] = _kept(line, now)
        self._next = self._next + PAGES if self._next + PAGES < known else 0

    def _sizes(self, now: float) -> list[Metric]:
        counts = read_counts(self._queue, now)
        return [
            exposed(families.BELLS, counts.bells),
            exposed(families.LEASES, counts.leases),
            exposed(families.OVERDUE, counts.overdue),
            exposed(families.SCHEDULED, counts.scheduled),
            exposed(families.DUE, counts.due),
            exposed(families.LOOKED_INTO, counts.looks),
            exposed(families.HOLDS, counts.holds),
            exposed(families.ASIDE, counts.aside),
            exposed(families.PAGES, counts.pages),
        ]

    def _streams(self, now: float) -> list[Metric]:
        keys = self._queue.keys
        streams = {"events": keys.events, "tasks": keys.tasks, "notices": keys.told, "receipts": keys.receipts}
        found = dict(zip(streams, read_backlogs(self._queue, list(streams.values()), now), strict=True))
        return [
            exposed(families.STREAM, {(name,): backlog.entries for name, backlog in found.items()}),
            exposed(families.STREAM_AGE, {(name,): backlog.age for name, backlog in found.items()}),
        ]

    def _life(self, now: float) -> list[Metric]:
        run, lease = self._queue.run_id(), self._queue.settings.lease
        life = read_life(self._queue, run, now)
        workers = sum(ago <= lease for ago in life["workers"].values())
        schedulers = sum(ago <= _ALIVE for ago, _ in life["schedulers"].values())
        return [
            exposed(families.GATE, life["epoch"] == run and not life["missing"]),
            exposed(families.DOOR, self._queue.door() is None),
            exposed(families.WORKERS, workers),
            exposed(families.SCHEDULERS, schedulers),
        ]

    def _memory(self) -> list[Metric]:
        memory = memory_of(self._queue.redis)
        return [exposed(families.MEMORY, memory.used), exposed(families.MEMORY_MAX, memory.limit)]

    def _lines(self) -> list[Metric]:
        lanes, oldest, by_page, reasons = (
            Counter[tuple[str, str]](),
            defaultdict[str, float](float),
            Counter[str](),
            Counter[str](),
        )
        for page, kept in self._pages.items():
            for lane, length in kept.lengths.items():
                lanes[lane, kept.state] += length
                if kept.state == "open":
                    oldest[lane] = max(oldest[lane], kept.oldest[lane])
            if any(kept.lengths.values()):
                by_page[self._labels.of(page)] += sum(kept.lengths.values())
            if kept.reason:
                reasons[kept.reason] += 1
        held = sum(kept.state == "held" for kept in self._pages.values())
        every = {(lane, state): 0 for lane in ("replies", "bulk") for state in ("open", "held", "paused")}
        return [
            exposed(families.WAITING, every | lanes),
            exposed(families.WAITING_OLDEST, {(lane,): oldest[lane] for lane in ("replies", "bulk")}),
            exposed(families.PAGE_WAITING, {(page,): count for page, count in by_page.items()}),
            exposed(families.PAUSED, {(kind,): reasons[kind] for kind in KINDS}),
            exposed(families.HELD_PAGES, held),
        ]


KINDS = ("token", "permission", "restricted", "operator")


def kind_of(reason: str) -> str:
    """Of what kind a page's pause is: whose words it is in is of open range (docs/pages.md)."""
    found = re.match(r"(-?\d+(?:/\d+)?): ", reason)
    if found is None:
        if reason.startswith("policy enforcement"):
            return "restricted"
        return "token" if reason.startswith(("no token for page", "the token of page")) else "operator"
    code = found[1]
    if code in _RESTRICTED or code.partition("/")[0] in _RESTRICTED:
        return "restricted"
    return "token" if code.partition("/")[0] in _TOKEN else "permission"


def _kept(line: PageLines, now: float) -> _Page:
    state = "paused" if line.paused is not None else "held" if line.held else "open"
    oldest = {lane: max((waited(first, now) for first in found), default=0.0) for lane, found in line.firsts.items()}
    return _Page(state, None if line.paused is None else kind_of(line.paused), line.lengths, oldest)
