"""What waits for each page: how many conversations, and how long the first of them has."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from envoi.ids import made_at
from envoi.queue.connection import translated
from envoi.queue.queue import Queue


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


def waits_of(queue: Queue, pages: Sequence[str], lane: str, now: float) -> list[PageWait]:
    """What waits in a lane; pages for which nothing does are left out. In three trips.

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
