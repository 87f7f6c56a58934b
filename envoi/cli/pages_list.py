"""All pages, with what the log and the queue say of each. Loads SQLAlchemy, as :mod:`envoi.cli.log` does."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from envoi.cli import log
from envoi.cli.output import warn
from envoi.client import open_queue
from envoi.page_desk import PageDesk, PageView

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
        known, trouble = PageDesk(store, open_queue()).pages()
        waiting = store.waiting()
    if trouble:
        warn(f"{trouble}; what follows is the log's knowledge alone")
    return [_row(view, waiting.get(view.page.id, 0)) for view in known]


def _row(view: PageView, waiting: int) -> dict[str, Any]:
    live, since = view.live, view.paused_since
    fields = {**asdict(view.page), "paused": since is not None, "paused_since": since}
    fields["pause_reason"] = view.pause_reason
    fields["state"] = view.state
    fields["waiting"] = waiting
    fields["in_flight"] = None if live is None else live.in_flight
    fields["queue_token_version"] = None if live is None else live.token_version
    fields["held_until"] = None if live is None else live.held_until
    fields["pace_left"] = None if live is None else live.part
    return fields
