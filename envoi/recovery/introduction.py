"""What a queue must know of pages before anything is claimed from it: a new or wiped Redis knows nothing."""

from __future__ import annotations

from collections.abc import Iterable

from envoi.log.page import Page
from envoi.queue.connection import translated
from envoi.queue.queue import Queue


def introduce(queue: Queue, pages: Iterable[Page]) -> None:
    """Tell the queue what pages are allowed, their apps, the versions of their tokens, and operators' pauses.

    One page after the other, so Redis is never kept from its other work. May be interrupted and done again.

    Raises:
        QueueUnavailable: Redis did not answer; some of them may be known.
    """
    for page in pages:
        if page.paused_since:
            # Before anything else, and with the time that the log has.
            reason, since = page.pause_reason or "", f"{page.paused_since.timestamp():.6f}"
            with translated():
                queue.redis.hset(queue.keys.page(page.id), items=["paused", reason, "since", since])
        tell_limits(queue, page)


def tell_limits(queue: Queue, page: Page) -> None:
    """Tell the queue what a page is allowed, its app and the version of its token; its pause stays as it is.

    Raises:
        QueueUnavailable: Redis did not answer.
    """
    queue.introduce(
        page.id,
        page.token_version,
        pace=page.pace,
        cap=page.cap,
        app=page.app_id,
        media_pace=page.media_pace,
        instagram=page.platform == "instagram",
    )
