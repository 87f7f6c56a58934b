"""The window: how long after a person's last sign of life a page may write (SEND_API 2, The window, Tag rules)."""

from __future__ import annotations

from sandbox.call import MESSAGE, Call
from sandbox.errors import Refused, known
from sandbox.pages import Page, Platform
from sandbox.switches import Switches

STANDARD_SECONDS = 24 * 3600.0
TAGGED_SECONDS = 7 * 86_400.0
_SEVEN_DAYS = ("HUMAN_AGENT", "CUSTOMER_FEEDBACK")


def check_window(call: Call, page: Page, inbound_at: float | None, now: float, switches: Switches) -> None:
    """Refuse a message outside the window; sender actions pass (SEND_API 10: whether they do is not known).

    Args:
        call: to a recipient given by ``id``: the others have rules of their own.
        page: that sends it.
        inbound_at: Unix seconds of the last thing the person did that opens the window; None if there was none.
        now: Unix seconds.
        switches: what holds for people who never did anything.

    Raises:
        Refused: 10/2018278, on Instagram 10/2534022.
    """
    allowed = _allowed_seconds(call)
    if call.step != MESSAGE or allowed is None:
        return
    inside = switches.unknown_conversations == "allow" if inbound_at is None else now < inbound_at + allowed
    if not inside:
        raise Refused(known(10, 2534022 if page.platform is Platform.INSTAGRAM else 2018278))


def _allowed_seconds(call: Call) -> float | None:
    if "reply_to" in call.parameters:
        # SEND_API 2: "needs a user message within the last 24 h", whatever the type; its error is not known.
        return STANDARD_SECONDS
    messaging_type = call.parameters.get("messaging_type", "RESPONSE")
    if messaging_type == "MESSAGE_TAG":
        return TAGGED_SECONDS if call.parameters.get("tag") in _SEVEN_DAYS else None
    return None if messaging_type == "UTILITY" else STANDARD_SECONDS
