"""Jobs that somebody or something has spoilt: in one to three places, with the worst that Python can hold there."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Any

from tests.integration.parity.jobs import PLATFORMS, whole_jobs

PLANTED = "pl4nted-s3cret"  # in values: no error may repeat one
Spoilt = dict[str, Any]


class _Odd(StrEnum):
    TEXT = "odd"


class _Text(str):
    __slots__ = ()


class _Mapping(dict[str, Any]):
    pass


def _deep(kind: str, depth: int) -> Any:
    value: Any = PLANTED
    for _ in range(depth):
        value = [value] if kind == "list" else {"x": value}
    return value


def _endless(kind: str) -> Any:
    holder: Any = [] if kind == "list" else {}
    if kind == "list":
        holder.append(holder)
    else:
        holder["x"] = holder
    return holder


_MADE: tuple[Callable[[], Any], ...] = (
    lambda: None, lambda: True, lambda: -1, lambda: 0, lambda: 10**400, lambda: -(10**5000), lambda: 2**63,
    lambda: 1.5, lambda: float("nan"), lambda: float("inf"), lambda: 1e308, lambda: 5e-324,
    lambda: Decimal("NaN"), lambda: Decimal("1e999"), lambda: 1j,
    lambda: "", lambda: " ", lambda: "\x00", lambda: f"a\x00{PLANTED}", lambda: "\ud800", lambda: f"{PLANTED}\udfff",
    lambda: "\ufeff\u202e\u0301", lambda: "\x1b[31m", lambda: "\r\nX-Injected: yes", lambda: PLANTED,
    lambda: "x" * 1_000_000, lambda: "\U0001f600" * 2001, lambda: "{" * 5000, lambda: "'; DROP TABLE jobs; --",
    PLANTED.encode, lambda: bytearray(b"\xff\xfe"), lambda: "é".encode("latin-1"), lambda: memoryview(b"x"),
    list, dict, tuple, set, lambda: {PLANTED}, lambda: frozenset({1}), lambda: [None], lambda: [[]], lambda: [{}],
    lambda: [PLANTED] * 5000, lambda: {str(number): number for number in range(5000)},
    lambda: {1: 2}, lambda: {None: None}, lambda: {b"\xff": PLANTED}, lambda: {(): []}, lambda: {"\ud800": 1},
    lambda: {"\x00": PLANTED}, lambda: {"x" * 100_000: 1}, lambda: {"": PLANTED},
    lambda: _deep("list", 17), lambda: _deep("dict", 17), lambda: _deep("list", 10_000), lambda: _deep("dict", 10_000),
    lambda: _endless("list"), lambda: _endless("dict"),
    object, lambda: Exception, lambda: len, lambda: range(3), lambda: iter([1]), lambda: (x for x in [1]),
    lambda: datetime(2026, 1, 1), lambda: datetime.min,  # noqa: DTZ001, DTZ901  # naive on purpose
    lambda: datetime.max.replace(tzinfo=timezone.min),
    lambda: datetime.max.replace(tzinfo=timezone.max), lambda: timedelta(days=1), lambda: "2026-01-01T00:00:00Z",
    lambda: _Odd.TEXT, lambda: _Text("x"), lambda: _Mapping(id="7"), lambda: _Mapping({"text": 7}),
)  # fmt: skip  # a table
_NAMES = (
    "unheard_of", "Recipient", "message ", "", "\x00", "\ud800", "__class__", "model_config", "self", "cls",
    "x" * 10_000, "recipient.id", "<text>", "\x1b[31m", "on_outcome", "template", "sender_action", "access_token",
)  # fmt: skip  # a table
_OPTIONS = ("key", "lane", "at", "expires_at", "typing", "mark_seen", "max_attempts", "on_unknown", "platform",
            "allow_unknown", "page", "recipient", "message", "messaging_type", "tag", "reply_to")  # fmt: skip


def spoilt_job(draw: random.Random) -> Spoilt:
    """The fields of a job: spoilt as objects, or as the bytes of its JSON where these can still be read."""
    platform = draw.choice(PLATFORMS)
    whole = draw.choice(whole_jobs(platform))
    fields: Spoilt = {"page": "1001", "platform": platform, **json.loads(json.dumps(whole))}
    if draw.random() < 0.15:
        return _as_json(draw, fields)
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        draw.choice((_a_field, _a_field, _within, _within, _within, _a_name))(draw, fields)
    return fields


def _a_field(draw: random.Random, fields: Spoilt) -> None:
    fields[draw.choice(_OPTIONS)] = draw.choice(_MADE)()


def _a_name(draw: random.Random, fields: Spoilt) -> None:
    where = draw.choice([fields, *(place for place, _ in _places(fields) if isinstance(place, dict))])
    where[draw.choice(_NAMES)] = draw.choice(_MADE)()


def _within(draw: random.Random, fields: Spoilt) -> None:
    places = _places({name: fields[name] for name in ("recipient", "message") if name in fields})
    if not places:
        return
    place, name = draw.choice(places)
    match draw.choice(("put", "put", "put", "delete", "double", "wrap")):
        case "put":
            place[name] = draw.choice(_MADE)()
        case "delete":
            del place[name]
        case "wrap":
            place[name] = [place[name]]
        case "double" if isinstance(place[name], str | list):
            place[name] = place[name] * draw.choice((2, 50, 3000))


def _places(value: Any, depth: int = 0) -> list[tuple[Any, Any]]:
    """Every (object or list, name or number) in a document; not down to the bottom of what has none."""
    names: list[Any] = []
    if depth < 10 and isinstance(value, dict):
        names = list(value)[:50]
    elif depth < 10 and isinstance(value, list):
        names = list(range(min(len(value), 50)))
    found = [(value, name) for name in names] if depth else []
    return found + [place for name in names for place in _places(value[name], depth + 1)]


def _as_json(draw: random.Random, fields: Spoilt) -> Spoilt:
    """Bytes of the JSON changed, left out or doubled until what is left can be read as an object."""
    text = json.dumps(fields)
    for _ in range(100):
        spoilt = spoilt_text(draw, text)
        try:
            found = json.loads(spoilt)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict) and "page" in found:
            return found
    return {**fields, "page": None}


def spoilt_text(draw: random.Random, text: str) -> str:
    """A text with some characters changed, left out or doubled."""
    for _ in range(draw.choice((1, 1, 2, 5))):
        start = draw.randrange(len(text) + 1)
        end = min(len(text), start + draw.choice((0, 1, 1, 2, 10)))
        between = draw.choice(
            ("", "", text[start:end] * 2, *'"\\{}[],:0-e', "null", "\\ud800", "\\u0000", "1e999", "NaN")
        )
        text = text[:start] + between + text[end:]
    return text
