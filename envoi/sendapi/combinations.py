"""What goes with what: the rules over several parameters (SEND_API 2, Combination table)."""

from __future__ import annotations

from collections.abc import Iterator

from envoi.errors import Problem
from envoi.sendapi.attachment import INSTAGRAM_ONLY
from envoi.sendapi.instagram import instagram_problems
from envoi.sendapi.parameters import Parameters


def combination_problems(given: Parameters) -> Iterator[Problem]:
    """Everything that is wrong in how the parameters go together."""
    if given.tag is not None or given.messaging_type != "RESPONSE":
        yield from _tag_problems(given)
    if given.messaging_type == "UTILITY" or given.message.template is not None:
        yield from _utility_problems(given)
    if given.platform == "instagram":
        yield from instagram_problems(given)
    elif given.message.attachment is not None and given.message.attachment.type in INSTAGRAM_ONLY:
        yield Problem("message.attachment.type", "is for Instagram: it needs platform='instagram'", "SEND_API 3")


def _tag_problems(given: Parameters) -> Iterator[Problem]:
    template = given.message.template_type
    if given.messaging_type == "MESSAGE_TAG" and given.tag is None:
        yield Problem("tag", "is required with messaging_type MESSAGE_TAG", "SEND_API 2")
    if given.messaging_type != "MESSAGE_TAG" and given.tag is not None:
        yield Problem("tag", "only goes with messaging_type MESSAGE_TAG", "SEND_API 2")
    if given.tag == "CUSTOMER_FEEDBACK" and template != "customer_feedback":
        yield Problem("tag", "CUSTOMER_FEEDBACK only goes with the template customer_feedback", "SEND_API 2")
    if given.messaging_type == "MESSAGE_TAG" and template == "coupon":
        limit = "a coupon is promotional: it must not go with messaging_type MESSAGE_TAG"
        yield Problem("message.attachment.payload.template_type", limit, "SEND_API 2")


def _utility_problems(given: Parameters) -> Iterator[Problem]:
    if given.message.template is None:
        yield Problem("message.template", "is required with messaging_type UTILITY", "SEND_API 3")
    elif given.messaging_type != "UTILITY":
        yield Problem("message.template", "only goes with messaging_type UTILITY", "SEND_API 3")
