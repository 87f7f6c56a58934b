"""Reading the thread of one person out of the answer to a look (SEND_API 8)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from worker.evidence import Shown

LIMIT = 20  # messages: older ones have no details (SEND_API 8)


def thread_of(body: bytes) -> tuple[tuple[Shown, ...], bool] | None:
    """The messages of the one thread in an answer, and whether there are no more; None: it is not such an answer.

    A person with whom there is no thread has no messages.
    """
    try:
        found = json.loads(body)["data"]
        if found == []:
            return (), True
        [thread] = found
        part = thread["messages"]
        rows = part["data"]
        more = "next" in (part.get("paging") or {})
        return tuple(_shown(rows)), not more and len(rows) < LIMIT
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _seconds(text: str) -> float:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment.timestamp()


def _shown(rows: list[dict[str, Any]]) -> Iterator[Shown]:
    for row in rows:
        text, author = row.get("message"), (row.get("from") or {}).get("id")
        message_id = row["id"]
        if not isinstance(message_id, str):
            raise TypeError("an id must be a text")
        yield Shown(
            id=message_id,
            created=_seconds(row["created_time"]),
            author=None if author is None else str(author),
            text=text if isinstance(text, str) else None,
            bare=not row.get("attachments"),
        )
