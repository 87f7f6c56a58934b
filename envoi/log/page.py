"""A page as the log knows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from envoi.log.tables import pages


@dataclass(frozen=True, slots=True)
class Page:
    """A page as the log knows it. The token is not in it: see :meth:`PageStore.credentials`.

    Attributes:
        platform: messenger or instagram.
        app_id: Meta's id of its app; None: the app of ``ENVOI_APP_SECRET``.
        graph_url: its host; None: its app's, else ``ENVOI_GRAPH_URL``.
        token_version: 1 for the first token, one more for each that replaced it, and for each new secret of its app.
        pace: messages per second; None: the default of all pages.
        media_pace: media per second, of these; None: the default of all pages.
        cap: calls in flight; None: the default of all pages.
        paused_since: None while the page is not paused.
    """

    id: str
    name: str | None
    platform: str
    app_id: str | None
    graph_url: str | None
    token_version: int
    pace: float | None
    media_pace: float | None
    cap: int | None
    paused_since: datetime | None
    pause_reason: str | None
    created_at: datetime
    updated_at: datetime


_COLUMNS = [pages.c[name] for name in Page.__dataclass_fields__]


def page_columns() -> Select[Any]:
    """What a :class:`Page` is read from."""
    return select(*_COLUMNS)
