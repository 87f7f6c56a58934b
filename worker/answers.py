"""From an HTTP answer, or the lack of one, to a verdict."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal, assert_never

from envoi.events import GraphError
from worker.codes import Class, class_of
from worker.verdicts import Accepted, Refused, Throttled, TryLater, Unknown, Verdict

_SERVER_ERROR = 500
_TEXT_LIMIT = 500  # characters of an error message that are kept


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back over HTTP, already bounded in size."""

    status: int
    body: bytes


def judge(answer: Answer, step: str, throttle_wait: float) -> tuple[Verdict, str | None]:
    """The verdict of a call that was answered, and Graph's ``fbtrace_id``.

    Args:
        answer: status and body.
        step: which step was called; only a message call must have a message id.
        throttle_wait: seconds to wait where a throttle says no time.
    """
    body = _object(answer.body)
    if isinstance(body.get("error"), dict):  # on a 2xx too: old answers carried errors there (SEND_API 4)
        return _judge_error(body["error"], answer.status, throttle_wait), _text(body["error"].get("fbtrace_id"))
    if answer.status // 100 == 2:  # noqa: PLR2004  # 2xx
        message_id = _text(body.get("message_id"))
        if step != "message" or message_id:
            return Accepted(message_id, _text(body.get("recipient_id"))), None
        return Unknown(GraphError(f"HTTP {answer.status} without a message id")), None
    return Unknown(GraphError(f"HTTP {answer.status} without a Graph error body")), None


def _judge_error(error: dict[str, Any], status: int, throttle_wait: float) -> Verdict:
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    text = _text(error.get("message")) or "no message"
    if code is None:
        return Unknown(GraphError(f"HTTP {status}, an error without a code: {text[:_TEXT_LIMIT]}"))
    found = GraphError(text[:_TEXT_LIMIT], code, subcode)
    transient = status >= _SERVER_ERROR or error.get("is_transient") is True
    match class_of(code, subcode, transient=transient):
        case Class.TRY_LATER:
            return TryLater(found, answered=True)
        case Class.THROTTLE_APP:
            return Throttled(found, "app", throttle_wait)
        case Class.THROTTLE_PAGE:
            return Throttled(found, "page", throttle_wait)
        case Class.THROTTLE_RECIPIENT:
            return Throttled(found, "recipient", throttle_wait)
        case Class.REFUSED_MESSAGE:
            return Refused(found, "message")
        case Class.REFUSED_PAGE:
            return Refused(found, "page")
        case Class.UNKNOWN:
            return Unknown(found)
        case never:
            assert_never(never)


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
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str | None:
    """A non-empty string that a PostgreSQL row can hold."""
    if not isinstance(value, str):
        return None
    return value.replace("\x00", "").encode("utf-8", "replace").decode() or None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31 else None
