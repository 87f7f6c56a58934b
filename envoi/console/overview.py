"""The first page: what ended today, what waits now, who delivers, and what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.responses import Response

from envoi.console.answer import rendered
from envoi.console.ask import Ask
from envoi.console.chart import chart_of
from envoi.console.hours import summed
from envoi.console.house import House
from envoi.doctor import backlog, deliveries
from envoi.doctor.finding import Finding
from envoi.doctor.queue_facts import QueueFacts, read_queue
from envoi.doctor.waiting import PageWait, read_lines, read_waits, some_pages
from envoi.errors import EnvoiError
from envoi.log import counting
from envoi.states import State

_REASONS = 6
_WAITING = 20  # pages that are listed
_COUNTED = 1000  # dead letters of a kind
_CHECKS = tuple(check for check in (*deliveries.CHECKS, *backlog.CHECKS) if check.name != "outcomes")
_LATE = 60.0  # seconds that a reply may wait before its page is marked


@dataclass(frozen=True, slots=True)
class Line:
    """What waits for one page."""

    page: str
    replies: PageWait | None
    bulk: PageWait | None

    @property
    def oldest(self) -> float:
        """Seconds that the longest waiting has waited."""
        return max((wait.oldest for wait in (self.replies, self.bulk) if wait), default=0.0)

    @property
    def conversations(self) -> int:
        """How many wait."""
        return sum(wait.conversations for wait in (self.replies, self.bulk) if wait)

    @property
    def late(self) -> bool:
        """Whether a reply waits too long for a page that may send."""
        return self.replies is not None and self.replies.sends and self.replies.oldest >= _LATE


def show(house: House, ask: Ask) -> Response:
    """The page. What one of log and queue does not say is left out, and said to be."""
    now = datetime.now(UTC)
    log, queue = _log(house, now), _queue(house)
    return rendered(house, ask, "overview.html", now=now, log=log, queue=queue, states=State)


def _log(house: House, now: datetime) -> dict[str, object]:
    try:
        hours = house.hours.last(now)
        today = summed(hours, now.replace(hour=0, minute=0, second=0, microsecond=0))
        codes = today.codes[:_REASONS]
        told = counting.examples(house.engine, [code for code, _ in codes])
        dead = {
            state: counting.count_up_to(house.engine, state, _COUNTED + 1)
            for state in (State.FAILED, State.EXPIRED, State.UNKNOWN, State.SETTLING)
        }
        views, _ = house.pages.pages()
    except EnvoiError as error:
        return {"trouble": str(error)}
    return {
        "trouble": None,
        "today": today,
        "reasons": [(code, number, told[code]) for code, number in codes],
        "dead": dead,
        "counted": _COUNTED,
        "chart": chart_of(hours),
        "paused": [view for view in views if view.state in {"paused", "held"}],
    }


def _queue(house: House) -> dict[str, object]:
    try:
        facts = read_queue(house.queue, all_streams=False)
        lines = _lines(house)
    except EnvoiError as error:
        return {"trouble": str(error)}
    return {
        "trouble": None,
        "facts": facts,
        "findings": _findings(facts),
        "lines": lines[:_WAITING],
        "more_lines": len(lines) - _WAITING,
        "waiting": sum(line.conversations for line in lines),
        "oldest": max((line.oldest for line in lines), default=0.0),
        "log_lag": facts.events.age if facts.events.entries else 0.0,
    }


def _findings(facts: QueueFacts) -> list[Finding]:
    """What is not well, the worst first, by the doctor's own checks."""
    found = [check.of(facts) for check in _CHECKS]
    return sorted((one for one in found if one.state != "ok"), key=lambda one: one.state != "bad")


def _lines(house: House) -> list[Line]:
    now = house.queue.time()
    found = read_lines(house.queue, some_pages(house.queue)[1], now)
    replies, bulk = (
        {wait.page: wait for wait in read_waits(house.queue, found, lane, now)} for lane in ("replies", "bulk")
    )
    lines = [Line(page, replies.get(page), bulk.get(page)) for page in {*replies, *bulk}]
    return sorted(lines, key=lambda line: (-line.oldest, line.page))
