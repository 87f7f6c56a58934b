"""What a webhook tells, taken out of Meta's envelope (SEND_API 7). No text and no name of a person is kept.

An entry of a webhook that says nothing about a conversation (``changes``, a handover between apps, …) gives no notice;
one that should and cannot be understood gives an :class:`envoi.notices.Odd`, and the others count all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

from envoi.errors import InvalidWebhook
from envoi.fields import PAGE_ID
from envoi.metadata import split_metadata
from envoi.notices import Echo, Enforcement, Inbound, Notice, Odd, Receipt

_OBJECTS = ("page", "instagram")
_OPENS_WINDOW = ("message", "postback", "referral", "reaction", "optin")
_PAGE = re.compile(PAGE_ID)
_PERSON = re.compile(r"[0-9]{1,64}")
_MESSAGE_ID = re.compile(r"[!-~]{1,512}")  # letters, digits and signs of ASCII, no space
_WORD = re.compile(r"[a-z_ -]{1,40}", re.IGNORECASE)
_MILLISECONDS_FROM = 1e11  # as seconds the year 5138, as milliseconds 1973
_LATEST = 4_102_444_800.0  # the year 2100


class _NotUnderstood(Exception):  # noqa: N818  # caught where it is met, for each entry
    """Why, in words of a fixed set."""


def notices(document: object) -> list[Notice]:
    """All that a webhook's document tells.

    Args:
        document: the body, taken apart by a JSON parser.

    Raises:
        InvalidWebhook: it is not an envelope as SEND_API 7 has it.
    """
    if not isinstance(document, dict):
        raise InvalidWebhook("must be a JSON object")
    if document.get("object") not in _OBJECTS:
        return []  # of another product: an app may subscribe to more than messages
    entries = document.get("entry")
    if not isinstance(entries, list):
        raise InvalidWebhook("entry: must be a list")
    return [notice for entry in entries for notice in _entry(entry)]


def _entry(entry: object) -> Iterator[Notice]:
    page = _id(entry.get("id"), _PAGE) if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or page is None:
        yield Odd("", "entry without the id of a page")
        return
    # In `standby` another app has the thread; what is told is true all the same.
    for name in ("messaging", "standby"):
        events = entry.get(name, [])
        if not isinstance(events, list):
            yield Odd(page, f"{name} is not a list")
            continue
        for event in events:
            try:
                found = _notice(page, event, entry.get("time"))
            except _NotUnderstood as odd:
                found = Odd(page, str(odd))
            if found:
                yield found


def _notice(page: str, event: object, entry_time: object) -> Notice | None:
    """What one event tells; None: nothing that is of use here."""
    if not isinstance(event, dict):
        raise _NotUnderstood("event is not an object")
    for name in ("policy_enforcement", "policy-enforcement"):
        if name in event:
            return Enforcement(page, _time(event.get("timestamp", entry_time)), _action(event[name]))
    if "message" in event:
        message = _object(event, "message")
        if message.get("is_echo") is True:
            return _echo(page, event, message, entry_time)
        if message.get("is_deleted") is True:
            return None  # taken back: no sign of life that opens the window
    for name, kind in (("delivery", "delivered"), ("read", "read")):
        if name in event:
            return _receipt(page, event, _object(event, name), "delivered" if kind == "delivered" else "read")
    if any(name in event for name in _OPENS_WINDOW):
        return _inbound(page, event, entry_time)
    return None


def _echo(page: str, event: dict[str, Any], message: dict[str, Any], entry_time: object) -> Echo:
    # Old pages have sender and recipient the other way round.
    ids = [_id_of(event, name) for name in ("recipient", "sender")]
    person = next((one for one in ids if one and one != page and _PERSON.fullmatch(one)), None)
    message_id = _id(message.get("mid"), _MESSAGE_ID)
    if person is None:
        raise _NotUnderstood("echo without a person")
    if message_id is None:
        raise _NotUnderstood("echo without a message id")
    metadata = message.get("metadata")
    job_id = split_metadata(metadata)[1] if isinstance(metadata, str) else None
    return Echo(page, person, message_id, _time(event.get("timestamp", entry_time)), job_id)


def _inbound(page: str, event: dict[str, Any], entry_time: object) -> Inbound | None:
    optin = event.get("optin")
    if isinstance(optin, dict) and optin.get("type") == "notification_messages":
        return None  # merely opting in to marketing messages opens nothing (SEND_API 2, The window)
    person = _id_of(event, "sender")
    if person is None or person == page:
        return None  # a user_ref, as a checkbox plugin has it: nobody's conversation by id
    if not _PERSON.fullmatch(person):
        raise _NotUnderstood("sender is not a person's id")
    return Inbound(page, person, _time(event.get("timestamp", entry_time)))


def _receipt(page: str, event: dict[str, Any], told: dict[str, Any], kind: Literal["delivered", "read"]) -> Receipt:
    person = _id_of(event, "sender")
    if person is None or not _PERSON.fullmatch(person):
        raise _NotUnderstood("receipt without a person")
    named = told.get("mids", [])
    if not isinstance(named, list):
        raise _NotUnderstood("mids is not a list")
    message_ids = [_id(one, _MESSAGE_ID) for one in [*named, *([told["mid"]] if "mid" in told else [])]]
    if not all(message_ids):
        raise _NotUnderstood("receipt of something that is no message id")
    watermark = _time(told["watermark"]) if "watermark" in told else None
    if not message_ids and watermark is None:
        raise _NotUnderstood("receipt of nothing")
    at = watermark if "timestamp" not in event and watermark is not None else _time(event.get("timestamp"))
    return Receipt(kind, page, person, at, tuple(one for one in message_ids if one), watermark)


def _action(told: object) -> str:
    action = told.get("action") if isinstance(told, dict) else None
    return action if isinstance(action, str) and _WORD.fullmatch(action) else ""


def _object(event: dict[str, Any], name: str) -> dict[str, Any]:
    found = event[name]
    if not isinstance(found, dict):
        raise _NotUnderstood(f"{name} is not an object")
    return found


def _id_of(event: dict[str, Any], side: str) -> str | None:
    """The id of sender or recipient; None where there is none."""
    given = event.get(side)
    found = given.get("id") if isinstance(given, dict) else None
    return str(found) if isinstance(found, int) and not isinstance(found, bool) else _id(found, _MESSAGE_ID)


def _id(value: object, shape: re.Pattern[str]) -> str | None:
    return value if isinstance(value, str) and shape.fullmatch(value) else None


def _time(value: object) -> float:
    """Seconds since the epoch. Meta writes milliseconds, in places seconds, in places as text (SEND_API 7).

    Raises:
        _NotUnderstood: no time between 1970 and 2100.
    """
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else 0.0
    except (ValueError, OverflowError):
        number = 0.0
    seconds = number / 1000 if number >= _MILLISECONDS_FROM else number
    if not 0 < seconds < _LATEST:
        raise _NotUnderstood("not a time")
    return seconds
