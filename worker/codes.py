"""What Graph's error codes mean: data, one row each, by code and subcode and never by HTTP status or text alone.

Sources are sections of the facts sheet SEND_API; ``confidence`` is the sheet's own mark (V verified, L likely).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Class(Enum):
    """The consequence that a code has."""

    TRY_LATER = "try later"  # Graph has finished and says it failed: again after a wait
    THROTTLE_APP = "throttle app"
    THROTTLE_PAGE = "throttle page"
    THROTTLE_RECIPIENT = "throttle recipient"
    REFUSED_MESSAGE = "refused message"
    REFUSED_PAGE = "refused page"  # token, permission or policy: the page pauses, its jobs wait
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Row:
    """One code's meaning; without a subcode it holds for every subcode that has no row of its own."""

    code: int
    subcode: int | None
    meaning: str
    outcome: Class
    source: str
    confidence: str


TABLE = (
    Row(-1, None, "internal error", Class.TRY_LATER, "SEND_API 4", "L"),
    Row(1, None, "unknown error", Class.TRY_LATER, "SEND_API 4", "V"),
    Row(1, 1357046, "an error was returned although the messages were sent", Class.UNKNOWN, "SEND_API 4", "V"),
    Row(2, None, "temporary service error", Class.TRY_LATER, "SEND_API 4", "V"),
    Row(4, None, "app request limit reached", Class.THROTTLE_APP, "SEND_API 4", "V"),
    Row(4, 2018022, "too many sends to phone numbers", Class.THROTTLE_PAGE, "SEND_API 4", "V"),
    Row(4, 2018354, "minimum delay between marketing notifications", Class.REFUSED_MESSAGE, "SEND_API 4", "V"),
    Row(9, 2018352, "opt-in request limit", Class.THROTTLE_RECIPIENT, "SEND_API 4", "V"),
    Row(17, None, "user-token rate limit", Class.THROTTLE_PAGE, "SEND_API 4", "V"),
    Row(32, None, "page request limit", Class.THROTTLE_PAGE, "SEND_API 4", "V"),
    Row(102, None, "session invalid", Class.REFUSED_PAGE, "SEND_API 4", "V"),
    Row(190, None, "invalid or expired token", Class.REFUSED_PAGE, "SEND_API 4", "V"),
    Row(341, None, "application limit reached", Class.THROTTLE_APP, "SEND_API 4", "V"),
    Row(613, None, "custom rate limit", Class.THROTTLE_PAGE, "SEND_API 4", "V"),
    Row(613, 1996, "erratic request volume", Class.THROTTLE_APP, "SEND_API 4", "V"),
    Row(613, 2018338, "too many tagged messages to this person", Class.THROTTLE_RECIPIENT, "SEND_API 4", "V"),
    Row(613, 1893016, "duplicate opt-in request for a topic", Class.REFUSED_MESSAGE, "SEND_API 4", "V"),
    Row(1200, None, "temporary send failure", Class.TRY_LATER, "SEND_API 4", "V"),
    Row(80001, None, "business-use-case limit: pages", Class.THROTTLE_PAGE, "SEND_API 4", "V"),
    Row(80002, None, "business-use-case limit: Instagram", Class.THROTTLE_PAGE, "SEND_API 4", "V"),
    Row(80006, None, "business-use-case limit: Messenger", Class.THROTTLE_PAGE, "SEND_API 4", "V"),
)

_BY_CODE = {(row.code, row.subcode): row.outcome for row in TABLE}


def class_of(code: int, subcode: int | None, *, transient: bool) -> Class:
    """The class of an error that Graph answered.

    A code without a row: unknown where Graph marks it transient (a 5xx counts as that mark), else the message is
    refused (SEND_API 4, last row).
    """
    found = _BY_CODE.get((code, subcode)) or _BY_CODE.get((code, None))
    return found or (Class.UNKNOWN if transient else Class.REFUSED_MESSAGE)
