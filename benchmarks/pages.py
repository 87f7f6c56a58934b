"""Pages for a benchmark, added in this process: a command for each would take a second."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import SecretStr

from envoi.cli.queued_page import tell_page
from envoi.client import open_queue
from envoi.log.database import open_log
from envoi.log.pages import PageStore
from envoi.log.secrets import SecretBox


def token_of(page: str) -> str:
    """The token that a page is added with."""
    return f"token-of-{page}"


def add_pages(
    pages: Sequence[str],
    *,
    redis_url: str,
    database_url: str,
    secret_key: str,
    pace: float | None = None,
    cap: int | None = None,
) -> None:
    """Add pages to the log and tell the queue of them.

    Args:
        pages: their ids.
        redis_url: the queue.
        database_url: the log.
        secret_key: that their tokens are encrypted with.
        pace: messages a second of each, if not the default.
        cap: calls in flight of each, if not the default.
    """
    engine, queue = open_log(database_url), open_queue(redis_url)
    store = PageStore(engine, SecretBox((SecretStr(secret_key),)))
    for page in pages:
        tell_page(queue, store.add(page, SecretStr(token_of(page)), pace=pace, cap=cap))
    engine.dispose()
