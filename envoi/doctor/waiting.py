"""What waits in the queue for pages that may send now, and for how long."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from envoi.ids import made_at
from envoi.queue.connection import translated
from envoi.queue.queue import Queue

_PAGES = 500  # whose waiting jobs are looked at


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
        oldest: seconds that the head of the first of them has waited since it was enqueued, or since its time.
        sends: the page is neither paused nor held.
    """

    page: str
    conversations: int
    oldest: float
    sends: bool


def some_pages(queue: Queue) -> tuple[int, list[str]]:
    """How many pages ever had a job, and the first 500 of them: reading is bounded."""
    key = f"{queue.keys.base}known"
    with translated(), queue.redis.pipeline(transaction=False) as pipe:
        pipe.zcard(key)
        pipe.zrange(key, 0, _PAGES - 1)
        count, pages = pipe.execute()
    return int(count), list(pages)


def read_waits(queue: Queue, pages: Sequence[str], lane: str, now: float) -> list[PageWait]:
    """What waits for each page in a lane: the first of its list stands for it.

    Args:
        queue: which.
        pages: of which pages.
        lane: ``r`` or ``b``.
        now: by Redis's clock, seconds since the epoch.

    Raises:
        QueueUnavailable: Redis did not answer.
    """
    with translated(), queue.redis.pipeline(transaction=False) as pipe:
        for page in pages:
            pipe.llen(queue.keys.waiting(page, lane))
            pipe.lindex(queue.keys.waiting(page, lane), 0)
            pipe.hmget(queue.keys.page(page), "paused", "st")  # st in the future: a throttle
        answers = pipe.execute()
    rows = zip(pages, answers[::3], answers[1::3], answers[2::3], strict=True)
    found = [(page, length, first, state) for page, length, first, state in rows if length and first]
    ages = _ages(queue, [first for _, _, first, _ in found], lane, now)
    return [
        PageWait(page, length, age, not paused and float(held or 0) <= now)
        for (page, length, _, (paused, held)), age in zip(found, ages, strict=True)
    ]


def read_waiting(queue: Queue, pages: Sequence[str], lane: str, now: float) -> Waiting:
    """What waits in a lane for pages that are neither paused nor held."""
    found = [wait for wait in read_waits(queue, pages, lane, now) if wait.sends]
    oldest, page = max(((wait.oldest, wait.page) for wait in found), default=(0.0, ""))
    return Waiting(sum(wait.conversations for wait in found), oldest, page)


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
    at = json.loads(text.partition("\n")[2]).get("at")
    made = made_at(job_id)
    return max(made, datetime.fromisoformat(at).timestamp()) if at else made
