"""Templates, and how they show times, numbers and states. Everything from elsewhere is escaped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from envoi.console.said import kind_of, words_of
from envoi.doctor.finding import span
from envoi.version import VERSION

_NONE = Markup('<span class="none">\N{EN DASH}</span>')


def environment() -> Environment:
    """The templates in ``envoi/console/templates``."""
    found = Environment(
        loader=PackageLoader("envoi.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "ago": ago,
        "clock": clock,
        "count": count,
        "kind": kind_of,
        "moment": moment,
        "or_none": or_none,
        "span": span,
        "words": words_of,
    }
    found.globals |= {"conversation_path": conversation_path, "version": VERSION, "with_query": with_query}
    return found


def moment(time: datetime | None) -> Markup:
    """A time to the second, in UTC."""
    if time is None:
        return _NONE
    utc = time.astimezone(UTC)
    return _time(utc, f"{utc:%d %b %Y, %H:%M:%S}")


def clock(time: datetime | None) -> Markup:
    """The time of day of what is not far from others that show their date."""
    if time is None:
        return _NONE
    utc = time.astimezone(UTC)
    return _time(utc, f"{utc:%H:%M:%S}.{utc.microsecond // 1000:03d}")


def ago(time: datetime | None) -> Markup:
    """How long ago; the exact time is in its tip."""
    if time is None:
        return _NONE
    utc = time.astimezone(UTC)
    past = datetime.now(UTC) - utc
    text = f"in {span(-past.total_seconds())}" if past < timedelta(0) else f"{span(past.total_seconds())} ago"
    return _time(utc, text)


def count(number: float | None) -> Markup:
    """A number with its thousands apart."""
    return _NONE if number is None else escape(f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}"))


def or_none(value: object) -> object:
    """A value; a dash where there is none."""
    return _NONE if value is None or value == "" else value


def conversation_path(page: str, kind: str, recipient: str) -> str:
    """Where a conversation is shown."""
    return with_query("/conversation", page=page, kind=kind, recipient=recipient)


def with_query(path: str, **given: object) -> str:
    """A path with what is given in its query."""
    told = {name: str(value) for name, value in given.items() if value is not None and value != ""}
    return f"{path}?{urlencode(told)}" if told else path


def _time(utc: datetime, text: str) -> Markup:
    return Markup('<time datetime="{iso}" title="{title}">{text}</time>').format(
        iso=utc.isoformat(timespec="milliseconds"), title=f"{utc:%Y-%m-%d %H:%M:%S} UTC", text=text
    )
