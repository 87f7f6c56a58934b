"""What a queue must know of pages before anything is claimed from it: a new or wiped Redis knows nothing."""

from __future__ import annotations

from collections.abc import Sequence

from envoi.log.pages import Page
from envoi.queue.commands import IntroducePage
from envoi.queue.connection import translated
from envoi.queue.queue import Queue

_BATCH = 100  # pages in one trip: bounds the time that Redis does nothing else


def introduce(queue: Queue, pages: Sequence[Page]) -> None:
    """Tell the queue what pages are allowed, their apps, the versions of their tokens, and operators' pauses.

    May be interrupted and done again.

    Raises:
        QueueUnavailable: Redis did not answer; some of them may be known.
    """
    for first in range(0, len(pages), _BATCH):
        batch = pages[first : first + _BATCH]
        _pause(queue, [page for page in batch if page.paused_since])  # before anything could be claimed
        queue.trip([IntroducePage(page.id, page.token_version, page.pace, page.cap, page.app_id) for page in batch])


def _pause(queue: Queue, pages: Sequence[Page]) -> None:
    """With the time and the reason that the log has."""
    with translated(), queue.redis.pipeline(transaction=False) as pipe:
        for page in pages:
            if page.paused_since:
                since = f"{page.paused_since.timestamp():.6f}"
                pipe.hset(queue.keys.page(page.id), items=["paused", page.pause_reason or "", "since", since])
        pipe.execute()
