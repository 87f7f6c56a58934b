"""All pages, with what the log and the queue say of each. Loads SQLAlchemy, as :mod:`envoi.cli.log` does."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from envoi.cli import log
from envoi.cli.output import warn
from envoi.client import open_queue
from envoi.doctor.waiting import PageLines, lines_of
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
    """What ``--json`` prints of each page. Without Redis, what the log knows; standard error says so.

    ``waiting`` is how many conversations wait for the page, by the queue's own lists: no job is counted, however many
    there are.
    """
    queue = open_queue()
    with log.opened_pages(keys=False) as store:
        known, trouble = PageDesk(store, queue).pages()
    if trouble:
        warn(f"{trouble}; what follows is the log's knowledge alone")
    lines = {} if trouble else lines_of(queue, [view.page.id for view in known])
    return [_row(view, lines.get(view.page.id)) for view in known]


def _row(view: PageView, lines: PageLines | None) -> dict[str, Any]:
    live, since = view.live, view.paused_since
    fields = {**asdict(view.page), "paused": since is not None, "paused_since": since}
    fields["pause_reason"] = view.pause_reason
    fields["state"] = view.state
    fields["waiting"] = None if lines is None else sum(lines.lengths.values())
    fields["in_flight"] = None if live is None else live.in_flight
    fields["queue_token_version"] = None if live is None else live.token_version
    fields["held_until"] = None if live is None else live.held_until
    fields["pace_left"] = None if live is None else live.part
    return fields
