"""From an HTTP answer to a verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, assert_never

from envoi.events import GraphError
from envoi.json_text import loaded
from worker.codes import Class, Row, row_of
from worker.usage import Usage, usage_of
from worker.verdicts import Accepted, Refused, Throttled, TryLater, Unknown, Verdict

_SERVER_ERROR = 500
_TOO_MANY = 429
_TEXT_LIMIT = 500  # characters of an error message that are kept
_DIGITS = 64  # of an attachment id
_ID_LIMIT = 1000  # characters of an id: they are opaque, 255 or more (SEND_API 1)


@dataclass(slots=True)  # not frozen: that takes three times as long to make
class Answer:
    """What came back over HTTP, already bounded in size; ``headers`` by name in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)  # not frozen: that takes three times as long to make
class Judgement:
    """What an answer means.

    Attributes:
        trace: Graph's ``fbtrace_id``.
        usage: what the usage headers say.
    """

    verdict: Verdict
    trace: str | None
    usage: Usage


def judge(answer: Answer, step: str, throttle_wait: float) -> Judgement:
    """The meaning of a call that was answered. Whatever the bytes are, it does not raise.

    Args:
        answer: status, headers and body.
        step: which step was called; only a message call must have a message id.
        throttle_wait: seconds to wait where a throttle says no time.
    """
    body, usage = _object(answer.body), usage_of(answer.headers)
    message_id = _text(body.get("message_id"), _ID_LIMIT)
    error, trace = body.get("error"), None
    if isinstance(error, dict):  # on a 2xx too: old answers carried errors there (SEND_API 4)
        trace = _text(error.get("fbtrace_id"), _TEXT_LIMIT)
        if message_id:  # it says both: accepted and failed
            verdict: Verdict = Unknown(GraphError(f"HTTP {answer.status} with an error and a message id"))
        else:
            verdict = _judge_error(error, answer.status, usage.regain, throttle_wait)
    elif answer.status // 100 != 2:  # noqa: PLR2004  # 2xx
        verdict = Unknown(GraphError(f"HTTP {answer.status} without a Graph error body"))
    elif step != "message" or message_id:
        verdict = Accepted(message_id, _text(body.get("recipient_id"), _ID_LIMIT), _digits(body.get("attachment_id")))
    else:
        verdict = Unknown(GraphError(f"HTTP {answer.status} without a message id"))
    return Judgement(verdict, trace, usage)


def _judge_error(error: dict[str, Any], status: int, regain: float, throttle_wait: float) -> Verdict:
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    text = _text(error.get("message"), _TEXT_LIMIT) or "no message"
    if code is None:
        return Unknown(GraphError(f"HTTP {status}, an error without a code: {text}"[:_TEXT_LIMIT]))
    row = row_of(code, subcode) or _unlisted(code, subcode, status, transient=error.get("is_transient") is True)
    seconds = regain or row.wait or throttle_wait
    return _VERDICTS[row.outcome](GraphError(text, code, subcode), seconds, row.tries)


def _unlisted(code: int, subcode: int | None, status: int, *, transient: bool) -> Row:
    """An error that the table has no row for (SEND_API 4: "anything else", and "429: handle it")."""
    if status >= _SERVER_ERROR or transient:
        outcome = Class.UNKNOWN
    elif status == _TOO_MANY:
        outcome = Class.THROTTLE_PAGE
    else:
        outcome = Class.REFUSED_MESSAGE
    return Row(code, subcode, "not in the table", outcome)


# error, seconds of a throttle, tries
_VERDICTS: dict[Class, Callable[[GraphError, float, int | None], Verdict]] = {
    Class.TRY_LATER: lambda error, _, tries: TryLater(error, answered=False, tries=tries),
    Class.TRY_LATER_ANSWERED: lambda error, _, tries: TryLater(error, answered=True, tries=tries),
    Class.THROTTLE_APP: lambda error, seconds, _: Throttled(error, "app", seconds),
    Class.THROTTLE_PAGE: lambda error, seconds, _: Throttled(error, "page", seconds),
    Class.THROTTLE_RECIPIENT: lambda error, seconds, _: Throttled(error, "recipient", seconds),
    Class.REFUSED_MESSAGE: lambda error, *_: Refused(error, "message"),
    Class.REFUSED_RECIPIENT: lambda error, *_: Refused(error, "recipient"),
    Class.REFUSED_PAGE: lambda error, *_: Refused(error, "page"),
    Class.UNKNOWN: lambda error, *_: Unknown(error),
}


def verdict_name(verdict: Verdict) -> Literal["Accepted", "TryLater", "Throttled", "Refused", "Unknown"]:
    """The verdict's name as calls are logged with it."""
    match verdict:
        case Accepted():
            return "Accepted"
        case TryLater():
            return "TryLater"
        case Throttled():
            return "Throttled"
        case Refused():
            return "Refused"
        case Unknown():
            return "Unknown"
        case never:
            assert_never(never)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = loaded(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(value: object, limit: int) -> str | None:
    """A non-empty string that a PostgreSQL row can hold."""
    if not isinstance(value, str):
        return None
    if value.isascii() and value.isprintable():  # as ids are
        return value[:limit] or None
    return value.replace("\x00", "").encode("utf-8", "replace").decode()[:limit] or None


def _digits(value: object) -> str | None:
    """An attachment id: digits, as the door takes them. Any other would be refused later."""
    return value if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _DIGITS else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31 else None
