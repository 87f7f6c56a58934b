"""What Graph's error codes mean: data, one row each, by code and subcode and never by HTTP status or text alone.

The rows are those of the facts sheet, SEND_API 4. Where the sheet leaves a choice, the row says which was made and why.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal


class Class(Enum):
    """The consequence that a code has (DESIGN 4); the scope is in the name."""

    TRY_LATER = "try later"  # surely not sent
    TRY_LATER_ANSWERED = "try later, answered"  # Graph has finished and says it failed; mostly true
    THROTTLE_APP = "throttle app"
    THROTTLE_PAGE = "throttle page"
    THROTTLE_RECIPIENT = "throttle recipient"
    REFUSED_MESSAGE = "refused message"
    REFUSED_RECIPIENT = "refused recipient"  # until the person writes again
    REFUSED_PAGE = "refused page"  # token, permission or policy: the page pauses, its jobs wait
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Row:
    """One code's meaning; without a subcode it holds for every subcode that has no row of its own.

    Attributes:
        confidence: the sheet's own mark: V verified, L likely.
        source: section of the sheet, or of DESIGN where that decides against the sheet's class.
        wait: seconds that a throttle of this kind lasts where no header says; None: the setting ``throttle_wait``.
        tries: so many attempts at most, where the sheet says "a few, then refused".
    """

    code: int
    subcode: int | None
    meaning: str
    outcome: Class
    confidence: Literal["V", "L"] = "V"
    source: str = "SEND_API 4"
    wait: float | None = None
    tries: int | None = None


_LATER, _ANSWERED, _UNKNOWN = Class.TRY_LATER, Class.TRY_LATER_ANSWERED, Class.UNKNOWN
_T_APP, _T_PAGE, _T_PERSON = Class.THROTTLE_APP, Class.THROTTLE_PAGE, Class.THROTTLE_RECIPIENT
_MESSAGE, _PERSON, _PAGE = Class.REFUSED_MESSAGE, Class.REFUSED_RECIPIENT, Class.REFUSED_PAGE
_HOURS = 3600.0  # "hours" in the sheet: at least one

TABLE = (
    # Graph failed. The sheet calls these ambiguous; DESIGN 4 tries again, with a look first where one can be had.
    Row(-1, None, "internal error", _ANSWERED, "L", "DESIGN 4"),
    Row(1, None, "unknown error", _ANSWERED, source="DESIGN 4"),
    Row(1, 99, "unknown error, often a missing permission: then every attempt ends so", _ANSWERED, source="DESIGN 4"),
    Row(1, 1357046, "an error was returned although the messages were sent", _UNKNOWN),
    Row(2, None, "temporary service error", _ANSWERED, source="DESIGN 4"),
    Row(1200, None, "temporary send failure", _ANSWERED, source="DESIGN 4"),
    Row(1200, 2018024, "temporary send failure", _ANSWERED, source="DESIGN 4"),
    # Not sent, and may pass later.
    Row(10, 2018300, "another app controls the thread: it may hand it back", _LATER),
    Row(100, 2018008, "the attachment's address could not be fetched: its host may be slow", _LATER, tries=3),
    Row(100, 2018294, "video timed out or is corrupt", _LATER, tries=3),
    Row(2018321, None, "Messenger's automated answers control the chat", _LATER),
    # Limits.
    Row(4, None, "app request limit reached", _T_APP),
    Row(4, 2018022, "too many sends to phone numbers", _T_PAGE),
    Row(4, 2018354, "minimum delay between marketing notifications: dropped, not rescheduled", _MESSAGE),
    Row(9, 2018352, "opt-in request limit", _T_PERSON),
    Row(17, None, "user-token rate limit", _T_PAGE),
    Row(32, None, "page request limit", _T_PAGE),
    Row(341, None, "application limit reached", _T_APP),
    Row(613, None, "custom rate limit", _T_PAGE),
    Row(613, 1996, "erratic request volume", _T_APP),
    Row(613, 2534040, "Instagram rate limit", _T_PAGE),
    Row(613, 2018338, "too many tagged messages to this person", _T_PERSON, wait=_HOURS),
    Row(613, 1893016, "duplicate opt-in request for a topic", _MESSAGE),
    Row(80001, None, "business-use-case limit: pages", _T_PAGE),
    Row(80002, None, "business-use-case limit: Instagram", _T_PAGE),
    Row(80006, None, "business-use-case limit: Messenger", _T_PAGE),
    # The page: token, permission, policy.
    Row(2, 2018344, "privacy terms not accepted", _PAGE),
    Row(3, None, "capability or permission missing", _PAGE),
    Row(10, None, "permission not granted or removed", _PAGE),
    Row(10, 1893063, "page temporarily restricted from sending", _PAGE),
    Row(10, 1404170, "page restricted from opt-in requests", _PAGE),
    Row(10, 2534077, "link of Instagram and page, or second factor, cannot be verified", _PAGE),
    Row(100, 2018164, "wrong app id", _PAGE),
    Row(100, 2534013, "page not linked to Instagram", _PAGE),
    Row(100, 2534029, "business blocked on Instagram", _PAGE),
    Row(102, None, "session invalid", _PAGE),
    Row(190, None, "invalid or expired token", _PAGE),
    Row(190, 458, "app not installed", _PAGE),
    Row(190, 459, "checkpoint", _PAGE),
    Row(190, 460, "password changed", _PAGE),
    Row(190, 463, "token expired", _PAGE),
    Row(190, 464, "unconfirmed user", _PAGE),
    Row(190, 467, "invalid token", _PAGE),
    Row(190, 490, "checkpoint", _PAGE, "L"),
    Row(190, 492, "user lost the role on the page", _PAGE),
    Row(190, 493, "app not used in 90 days", _PAGE, "L"),
    Row(190, 2069032, "page permission missing", _PAGE, "L"),
    # 230 has two meanings that only its text tells apart, and texts are localised. A missing permission would fail
    # every job of the page, a person's own setting only his: the page pauses, so that no job is given up in error.
    *(Row(code, None, "permission missing, or app not live", _PAGE) for code in range(200, 300)),
    Row(200, 2018021, "phone fee", _PAGE),
    Row(200, 2018027, "phone permission", _PAGE),
    Row(200, 2018028, "pages_messaging not reviewed", _PAGE),
    Row(200, 2534041, "owner of the Instagram account switched message access off", _PAGE),
    Row(368, None, "deemed abusive or temporarily blocked", _PAGE),
    Row(2022, None, "commerce messages temporarily disabled", _PAGE),
    Row(10904, None, "page has messages off", _PAGE),
    # The recipient. Outside the window the sheet allows this or "message": until the person writes again no message
    # of the same kind passes (one with a tag may).
    Row(10, 2018278, "outside the window (Messenger)", _PERSON),
    Row(10, 2534022, "outside the window (Instagram)", _PERSON),
    Row(10, 2018065, "outside the window, subscription permission needed", _PERSON),
    Row(10, 2018108, "person cannot receive your messages now", _PERSON),
    Row(10, 2018336, "user thread impact (rules of the region)", _PERSON),
    Row(10, 1893015, "person stopped this notification topic", _PERSON),
    Row(100, 33, "object does not exist or is not visible: one recipient, not proof against the page", _PERSON),
    Row(100, 2018001, "no matching user found: one recipient, not proof against the page", _PERSON),
    Row(100, 2534014, "no such Instagram user", _PERSON),
    Row(100, 2534037, "not the thread's owner (Instagram)", _PERSON),
    Row(200, 1545041, "person isn't available right now", _PERSON),
    Row(551, None, "person isn't available", _PERSON),
    Row(551, 1545041, "person isn't available", _PERSON),
    # The message.
    Row(100, None, "invalid parameter; only its text could say that the recipient is meant", _MESSAGE),
    Row(100, 2018014, "both message and action", _MESSAGE),
    Row(100, 2018015, "neither message nor action", _MESSAGE),
    Row(100, 2018032, "invalid data", _MESSAGE, "L"),
    Row(100, 2018034, "empty message", _MESSAGE, "L"),
    Row(100, 2018040, "button field empty", _MESSAGE),
    Row(100, 2018041, "button field empty", _MESSAGE),
    Row(100, 2018053, "button field empty", _MESSAGE),
    Row(100, 2018047, "upload failed, usually the wrong media type", _MESSAGE),
    Row(100, 2018048, "sender action failed: only actions get it, and their verdicts change nothing", _MESSAGE, "L"),
    Row(100, 2018074, "attachment id invalid, expired or not owned", _MESSAGE),
    Row(100, 2018109, "attachment too large", _MESSAGE),
    Row(100, 2018320, "product id", _MESSAGE),
    Row(100, 2018328, "product version", _MESSAGE),
    Row(100, 1893061, "retired message tag", _MESSAGE, "L"),
    Row(100, 2534015, "invalid message data (Instagram)", _MESSAGE),
    Row(100, 2534025, "invalid private reply (Instagram)", _MESSAGE),
    Row(105, None, "too many elements", _MESSAGE, "L"),
    Row(194, None, "too few elements", _MESSAGE, "L"),
    Row(803, None, "alias or id does not exist", _MESSAGE, "L"),
    Row(10303, None, "bad account-linking token", _MESSAGE),
    Row(10900, None, "already replied", _MESSAGE),
    Row(10903, None, "person can't reply to this activity", _MESSAGE),
    Row(9000001, None, "message deleted: of a send, the one it replies to", _MESSAGE),
    # Not expected: a code of the web chat's protocol, which says nothing about a send.
    Row(1545012, None, "temporary failure", _UNKNOWN),
)

_BY_CODE = {(row.code, row.subcode): row for row in TABLE}


# Refusals of the window only: a message with a tag may pass all the same (SEND_API 2).
_WINDOW = frozenset({(10, 2018278), (10, 2534022), (10, 2018065)})


def refuses_untagged_only(code: int | None, subcode: int | None) -> bool:
    """Whether a refusal of a recipient holds for messages without a tag only."""
    return (code, subcode) in _WINDOW


def row_of(code: int, subcode: int | None) -> Row | None:
    """The row for a code: that of its subcode, else that of the code alone, else none."""
    return _BY_CODE.get((code, subcode)) or _BY_CODE.get((code, None))
