"""Broadcasts: how far each is, and why some people were not sent the message."""

from __future__ import annotations

from starlette.responses import Response

from envoi.broadcast.report import Report, counted
from envoi.console.answer import rendered
from envoi.console.ask import Ask
from envoi.console.house import House

_LIMIT = 30
_COUNTED = 10  # broadcasts whose people are counted for the list
_PEOPLE = 50


def show_list(house: House, ask: Ask) -> Response:
    """The newest broadcasts; of those that go on, how far they are."""
    found = house.broadcasts.newest(limit=_LIMIT)
    going = [one for one in found if not one.state.ended][:_COUNTED]
    reports: dict[str, Report] = {one.id: counted(house.engine, one.id, reasons=False) for one in going}
    return rendered(house, ask, "broadcasts.html", broadcasts=found, reports=reports)


def show_one(house: House, ask: Ask) -> Response:
    """One broadcast, with its reasons and some of its people."""
    found = house.broadcasts.get(ask.named["broadcast"])
    after = ask.query.get("after")
    people = house.broadcasts.recipients(
        found.id,
        state=ask.query.get("state") or None,
        after=int(after) if after.isascii() and after.isdigit() and len(after) < len(str(1 << 62)) else 0,
        limit=_PEOPLE + 1,
    )
    return rendered(
        house,
        ask,
        "broadcast.html",
        broadcast=found,
        report=counted(house.engine, found.id),
        people=people[:_PEOPLE],
        next_after=people[_PEOPLE - 1].number if len(people) > _PEOPLE else None,
    )
