"""Lists of jobs, by state; dead letters by page and code too."""

from __future__ import annotations

from datetime import datetime

from starlette.responses import Response

from envoi.console.answer import rendered
from envoi.console.ask import Ask, BadForm, Form
from envoi.console.house import House
from envoi.console.showing import with_query
from envoi.ids import JOB_ID
from envoi.log import browsing
from envoi.log.browsing import Filter, Listed, Place
from envoi.log.letters import DEAD
from envoi.states import State

LIMIT = 50
_LONGEST = 64  # characters of a page's id


def show(house: House, ask: Ask) -> Response:
    """A list of jobs, those enqueued last first."""
    wanted, behind = filter_of(ask.query), place_of(ask.query)
    found = browsing.listed(house.engine, wanted, behind=behind, limit=LIMIT + 1)
    rows, more = found[:LIMIT], len(found) > LIMIT
    return rendered(
        house,
        ask,
        "jobs.html",
        wanted=wanted,
        rows=rows,
        older=_older(wanted, rows[-1]) if more else None,
        newest=with_query("/jobs", **_told(wanted)) if behind else None,
        states=State,
        dead=DEAD,
    )


def filter_of(fields: Form) -> Filter:
    """Which jobs a query or form means.

    Raises:
        BadForm: there can be no such jobs.
    """
    try:
        state = State(fields.get("state")) if fields.get("state") else None
        code = int(fields.get("code")) if fields.get("code").strip() else None
    except ValueError:
        raise BadForm("state or code is none that a job can have") from None
    if code is not None and abs(code) >= 1 << 63:
        raise BadForm("code is none that a job can have")
    found = Filter(state, fields.get("page").strip()[:_LONGEST] or None, code)
    return found if found.dead else Filter(state)


def place_of(fields: Form) -> Place | None:
    """Where a list goes on.

    Raises:
        BadForm: it names no place.
    """
    if not fields.get("before"):
        return None
    time, _, job_id = fields.get("before").partition("~")
    try:
        found = datetime.fromisoformat(time)
    except ValueError:
        raise BadForm("no such place in a list") from None
    if found.tzinfo is None or not JOB_ID.fullmatch(job_id):
        raise BadForm("no such place in a list")
    return Place(found, job_id)


def before(enqueued_at: datetime, job_id: str) -> str:
    """The inverse of :func:`place_of`."""
    return f"{enqueued_at.isoformat()}~{job_id}"


def _told(wanted: Filter) -> dict[str, object]:
    return {"state": wanted.state, "page": wanted.page, "code": wanted.code}


def _older(wanted: Filter, last: Listed) -> str:
    return with_query("/jobs", **_told(wanted), before=before(last.enqueued_at, last.id))
