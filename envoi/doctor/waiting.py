"""What waits in the queue for pages, and for how long."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from envoi.ids import wanted_from
from envoi.queue.connection import translated
from envoi.queue.queue import Queue

PAGES = 500  # whose waiting jobs are looked at
_LANES = {"replies": "r", "bulk": "b"}
_CLASSES = ("", "/m", "/p")  # a page's lists: its own, that of media, that of private replies (pages.lua)


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
class PageWait:
    """Conversations that wait for a page in a lane.

    Attributes:
        conversations: how many.
        oldest: seconds that the longest waiting of the heads has waited since it was enqueued, or since its time.
        sends: the page is neither paused nor held.
    """

    page: str
    conversations: int
    oldest: float
    sends: bool


@dataclass(frozen=True, slots=True)
class PageLines:
    """The waiting lists of one page.

    Attributes:
        paused: why it waits for an operator; None: it does not.
        held: whether a throttle holds it, or its app, now.
        lengths: conversations that wait, by lane.
        firsts: the first entry of each list that is not empty, by lane.
    """

    page: str
    paused: str | None
    held: bool
    lengths: Mapping[str, int]
    firsts: Mapping[str, Sequence[str]]

    @property
    def open(self) -> bool:
        """Whether it may send now, as far as that is no matter of its pace."""
        return self.paused is None and not self.held


def some_pages(queue: Queue, first: int = 0) -> tuple[int, list[str]]:
    """How many pages ever had a job, and 500 of them, from a place on: reading is bounded."""
    key = f"{queue.keys.base}known"
    with translated(), queue.redis.pipeline(transaction=False) as pipe:
        pipe.zcard(key)
        pipe.zrange(key, first, first + PAGES - 1)
        count, pages = pipe.execute()
    return int(count), list(pages)


def read_lines(queue: Queue, pages: Sequence[str], now: float) -> list[PageLines]:
    """The waiting lists of these pages, in two trips.

    Raises:
        QueueUnavailable: Redis did not answer.
    """
    base, lists = queue.keys.base, [(lane, part) for lane in _LANES for part in _CLASSES]
    with translated(), queue.redis.pipeline(transaction=False) as pipe:
        for page in pages:
            pipe.hmget(queue.keys.page(page), "paused", "st", "ap")  # st in the future: a throttle
            for lane, part in lists:
                pipe.llen(f"{base}w:{page}{part}:{_LANES[lane]}")
                pipe.lindex(f"{base}w:{page}{part}:{_LANES[lane]}", 0)
        answers = pipe.execute()
    width = 1 + 2 * len(lists)
    rows = [answers[at : at + width] for at in range(0, len(answers), width)]
    held_apps = _held_apps(queue, {row[0][2] or "" for row in rows}, now)
    found = []
    for page, ((paused, slowed_at, app), *told) in zip(pages, rows, strict=True):
        lengths, firsts = dict.fromkeys(_LANES, 0), {lane: list[str]() for lane in _LANES}
        for (lane, _), length, first in zip(lists, told[::2], told[1::2], strict=True):
            lengths[lane] += length
            firsts[lane] += [first] if first else []
        held = float(slowed_at or 0) > now or (app or "") in held_apps
        found.append(PageLines(page, paused, held, lengths, firsts))
    return found


def lines_of(queue: Queue, pages: Sequence[str]) -> dict[str, PageLines]:
    """The waiting lists of any number of pages, by page; in parts, so that no trip is long.

    Raises:
        QueueUnavailable: Redis did not answer.
    """
    now = queue.time()
    parts = (pages[first : first + PAGES] for first in range(0, len(pages), PAGES))
    return {line.page: line for part in parts for line in read_lines(queue, part, now)}


def read_waits(queue: Queue, lines: Sequence[PageLines], lane: str, now: float) -> list[PageWait]:
    """What waits in a lane, by page: the first of each list stands for it; pages without are left out."""
    mine = [line for line in lines if line.lengths[lane]]
    firsts = [(line.page, first) for line in mine for first in line.firsts[lane]]
    oldest: dict[str, float] = {}
    for (page, _), age in zip(firsts, _ages(queue, [first for _, first in firsts], _LANES[lane], now), strict=True):
        oldest[page] = max(age, oldest.get(page, 0.0))
    return [PageWait(line.page, line.lengths[lane], oldest.get(line.page, 0.0), line.open) for line in mine]


def read_waiting(queue: Queue, lines: Sequence[PageLines], lane: str, now: float) -> Waiting:
    """What waits in a lane for pages that are neither paused nor held."""
    found = read_waits(queue, [line for line in lines if line.open], lane, now)
    oldest, page = max(((wait.oldest, wait.page) for wait in found), default=(0.0, ""))
    return Waiting(sum(wait.conversations for wait in found), oldest, page)


def waited(entry: str, now: float) -> float:
    """How long an entry of a waiting list has been in it, seconds; entries of older versions do not tell: 0."""
    since = entry.partition(" ")[2]
    return max(0.0, now - float(since)) if since else 0.0


def _held_apps(queue: Queue, apps: set[str], now: float) -> set[str]:
    """Those of which a throttle holds every page."""
    names = sorted(apps)
    with translated(), queue.redis.pipeline(transaction=False) as pipe:
        for name in names:
            pipe.hget(queue.keys.page(f"*{name}"), "st")
        return {name for name, ends in zip(names, pipe.execute(), strict=True) if float(ends or 0) > now}


def _ages(queue: Queue, entries: Sequence[str], lane: str, now: float) -> list[float]:
    """How long the head of each has waited; 0 where its entry was left behind, or its text is gone."""
    keys = queue.keys
    found = [text.partition(" ")[::2] for text in entries]  # the conversation, and since when (line.lua)
    with translated(), queue.redis.pipeline(transaction=False) as pipe:
        for conversation, _ in found:
            pipe.hmget(keys.conversation(conversation), "pl", "ln", "wt")
            pipe.lindex(keys.line(conversation), 0)
        answers = pipe.execute()
    waits = [
        place[:2] == ["w", lane] and since in {"", place[2]}
        for place, (_, since) in zip(answers[::2], found, strict=True)
    ]
    heads = answers[1::2]
    with translated():
        texts: Any = queue.redis.mget([keys.job(head or "-") for head in heads]) if heads else []
    return [
        max(0.0, now - _since(head, text)) if there and head and text else 0.0
        for there, head, text in zip(waits, heads, texts, strict=True)
    ]


def _since(job_id: str, text: str) -> float:
    """When a job was enqueued, or its time if it had one."""
    return wanted_from(job_id, json.loads(text.partition("\n")[2]).get("at"))
