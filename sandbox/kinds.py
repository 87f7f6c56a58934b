"""Checks of the kind of message: messaging type, tag and notification type (SEND_API 2, Enums, Tag rules)."""

from __future__ import annotations

from sandbox.call import MESSAGE, Call
from sandbox.errors import Refused, invalid, known
from sandbox.pages import Page, Platform
from sandbox.shape import fields, text
from sandbox.switches import Switches

MESSAGING_TYPES = ("RESPONSE", "UPDATE", "MESSAGE_TAG", "UTILITY")
NOTIFICATION_TYPES = ("REGULAR", "SILENT_PUSH", "NO_PUSH")
RETIRED_TAGS = ("ACCOUNT_UPDATE", "CONFIRMED_EVENT_UPDATE", "POST_PURCHASE_UPDATE")
TAGS = (*RETIRED_TAGS, "CUSTOMER_FEEDBACK", "HUMAN_AGENT")


def check_shape_of_kind(call: Call, page: Page) -> None:
    """Refuse values that are not of the enums, and malformed companions of a message.

    Raises:
        Refused: 100.
    """
    _one_of("messaging_type", call, MESSAGING_TYPES)
    _one_of("notification_type", call, NOTIFICATION_TYPES)
    _one_of("tag", call, TAGS)
    if not isinstance(call.parameters.get("persona_id", ""), str):
        raise invalid("Param persona_id must be a string")
    if "persona_id" in call.parameters and page.platform is Platform.INSTAGRAM:
        raise invalid("Param persona_id is not available for Instagram")
    if "reply_to" in call.parameters:
        text(fields(call.parameters["reply_to"], "reply_to").get("mid"), "reply_to[mid]")


def check_tag(call: Call, page: Page, switches: Switches) -> None:
    """Refuse a tag that is missing, inconsistent, retired, not of the platform, or not of the content.

    Raises:
        Refused: 100; 100/1893061 for a retired tag. Other subcodes are not known (SEND_API 12, Not verified).
    """
    if call.step != MESSAGE:
        return
    # SEND_API 2: the reference calls messaging_type required; in practice, one left out means RESPONSE.
    messaging_type = call.parameters.get("messaging_type", "RESPONSE")
    tag = call.parameters.get("tag")
    if messaging_type == "UTILITY" and page.platform is Platform.INSTAGRAM:
        raise invalid("Param messaging_type UTILITY is not available for Instagram")
    if tag is None:
        if messaging_type == "MESSAGE_TAG":
            raise invalid("Param tag is required with messaging_type MESSAGE_TAG")
        return
    if switches.tags_retired and tag in RETIRED_TAGS:
        raise Refused(known(100, 1893061))
    if messaging_type != "MESSAGE_TAG":
        # Unverified ("100?"): a client must not depend on a tag being overlooked.
        raise invalid("Param tag needs messaging_type MESSAGE_TAG")
    if page.platform is Platform.INSTAGRAM and tag != "HUMAN_AGENT":
        raise invalid(f"Param tag {tag} is not available for Instagram")
    if tag == "CUSTOMER_FEEDBACK" and _template_type(call) != "customer_feedback":
        raise invalid("Param tag CUSTOMER_FEEDBACK needs the customer feedback template")


def _one_of(name: str, call: Call, values: tuple[str, ...]) -> None:
    if name in call.parameters and call.parameters[name] not in values:
        raise invalid(f"Param {name} must be one of {{{', '.join(values)}}}")


def _template_type(call: Call) -> object:
    attachment = call.message.get("attachment")
    payload = attachment.get("payload") if isinstance(attachment, dict) else None
    return payload.get("template_type") if isinstance(payload, dict) else None
