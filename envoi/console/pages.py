"""The pages that Envoi sends for: whether each sends, how fast, and with which token."""

from __future__ import annotations

from starlette.responses import Response

from envoi.console.answer import rendered
from envoi.console.ask import Ask
from envoi.console.house import House
from envoi.doctor.waiting import lines_of
from envoi.page_desk import PageView

_RANK = {"paused": 0, "held": 1, "slowed": 2, "sends": 3}


def show(house: House, ask: Ask) -> Response:
    """All pages, those that do not send first."""
    views, trouble = house.pages.pages()
    views.sort(key=lambda view: (_RANK[view.state], view.page.id))
    lines = {} if trouble else lines_of(house.queue, [view.page.id for view in views])
    return rendered(
        house,
        ask,
        "pages.html",
        views=views,
        lines=lines,
        trouble=trouble,
        pace=house.settings.page_pace,
        instagram_pace=house.settings.instagram_pace,
        token_state=token_state,
    )


def token_state(view: PageView) -> str:
    """What is known of a page's token without asking Meta."""
    version = f"version {view.page.token_version}"
    if view.live is None:
        return version
    if view.live.token_version == 0:
        return f"{version}, the queue was not told: envoi pages rotate"
    if view.live.token_version != view.page.token_version:
        return f"{version}, the queue still has {view.live.token_version}"
    return version
