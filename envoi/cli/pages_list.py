"""All pages, with what the log and the queue say of each. Loads SQLAlchemy, as :mod:`envoi.cli.log` does."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from envoi.cli import log
from envoi.cli.output import warn
from envoi.client import open_queue
from envoi.errors import QueueUnavailable
from envoi.log.pages import Page
from envoi.queue.queued_page import QueuedPage

FIELDS = (
    "id",
    "platform",
    "app_id",
    "token_version",
    "pace",
    "media_pace",
    "cap",
    "state",
    "pause_reason",
    "paused_since",
    "waiting",
    "in_flight",
    "updated_at",
)


def rows() -> list[dict[str, Any]]:
    """What ``--json`` prints of each page. Without Redis, what the log knows; standard error says so."""
    with log.opened_pages(keys=False) as store:
        known, waiting = store.list(), store.waiting()
    try:
        queued: list[QueuedPage | None] = list(open_queue().pages([page.id for page in known]))
    except QueueUnavailable as error:
        warn(f"{error}; what follows is the log's knowledge alone")
        queued = [None] * len(known)
    return [_row(page, live, waiting.get(page.id, 0)) for page, live in zip(known, queued, strict=True)]


def _row(page: Page, live: QueuedPage | None, waiting: int) -> dict[str, Any]:
    since, reason = (page.paused_since, page.pause_reason) if live is None else (live.paused_since, live.reason)
    fields = {**asdict(page), "paused": since is not None, "paused_since": since, "pause_reason": reason}
    fields["state"] = _state(live, paused=since is not None)
    fields["waiting"] = waiting
    fields["in_flight"] = None if live is None else live.in_flight
    fields["queue_token_version"] = None if live is None else live.token_version
    fields["held_until"] = None if live is None else live.held_until
    fields["pace_left"] = None if live is None else live.part
    return fields


def _state(live: QueuedPage | None, *, paused: bool) -> str:
    """The page's state in a word; how an app's throttle bears on it is not told here."""
    if paused or live is None:
        return "paused" if paused else "sends"
    return "held" if live.held_until else "slowed" if live.part < 1 else "sends"
