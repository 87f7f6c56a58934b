"""A page as the queue has it: read for ``pages list``, and told of a new token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from envoi.queue.connection import translated
from envoi.queue.queue import Queue


@dataclass(frozen=True, slots=True)
class QueuedPage:
    """What the queue says of a page.

    Attributes:
        paused_since: None while it is not paused.
        reason: why it is paused.
        in_flight: conversations that workers hold now.
        token_version: 0: the queue was never told.
    """

    paused_since: datetime | None
    reason: str | None
    in_flight: int
    token_version: int


def read_pages(queue: Queue, pages: Sequence[str]) -> list[QueuedPage]:
    """Read them all in one trip.

    Raises:
        QueueUnavailable: Redis did not answer.
    """
    with translated(), queue.redis.pipeline(transaction=False) as pipe:
        for page in pages:
            pipe.hmget(queue.keys.page(page), "paused", "since", "busy", "tv")
        return [_page(*row) for row in pipe.execute()]


def tell_page(queue: Queue, page: str, version: int, pace: float | None, cap: int | None, *, resume: bool) -> None:
    """Set its limits and its token's version; then, if wished, end its pause.

    In this order: a 190 that the old token still brings finds the new version, and does not pause the page again.

    Args:
        queue: which queue.
        page: its id.
        version: of its token.
        pace: messages per second; None: the default.
        cap: calls in flight; None: the default.
        resume: whether to end a pause.

    Raises:
        QueueUnavailable: Redis did not answer.
    """
    back_to_default = [name for name, value in (("pace", pace), ("cap", cap)) if value is None]
    if back_to_default:
        with translated():
            queue.redis.hdel(queue.keys.page(page), *back_to_default)
    queue.configure(page, pace=pace, cap=cap, token_version=version)
    if resume:
        queue.resume(page)


def _page(paused: str | None, since: str | None, busy: str | None, version: str | None) -> QueuedPage:
    return QueuedPage(
        paused_since=None if paused is None else datetime.fromtimestamp(float(since or 0), UTC),
        reason=paused,
        in_flight=int(busy or 0),
        token_version=int(version or 0),
    )
