"""Message tags: what sends outside the window, each for its own use (SEND_API 2; the reference's table of tags)."""

from __future__ import annotations

from dataclasses import dataclass


class RetiredTag(UserWarning):
    """A job was taken with a tag that Meta has retired: its message will be refused, unless Meta's newer pages err."""


@dataclass(frozen=True, slots=True)
class TagUse:
    """What a tag is for.

    Attributes:
        allowed, forbidden: uses, from the reference's table. The lists of what is forbidden are not complete there.
        limit: days after the person's last message; None: no fixed limit.
        instagram: whether Instagram knows it.
        retired: refused by Meta since 2026-04-27, although the French reference still lists it (SEND_API 0.2).
        checked: what the door checks.
    """

    name: str
    allowed: tuple[str, ...]
    forbidden: tuple[str, ...]
    limit: int | None
    instagram: bool = False
    retired: bool = False
    checked: str = "no coupon template"


_PROMOTION = "anything promotional: deals, coupons, discounts"
_SURVEYS = "invitations to surveys, polls or reviews about an earlier chat"

TAGS = (
    TagUse(
        "HUMAN_AGENT",
        ("a person's answer to what could not be settled within the window: outside office hours, or more than a day",),
        ("automated messages", "anything beside the person's question"),
        limit=7,
        instagram=True,
        checked="not in the lane bulk; no coupon template",
    ),
    TagUse(
        "CUSTOMER_FEEDBACK",
        ("a survey about a purchase", "a survey about an event", "a review of a product"),
        ("anything but the customer feedback template; it fails",),
        limit=7,
        checked="only with the template customer_feedback",
    ),
    TagUse(
        "ACCOUNT_UPDATE",
        (
            "a change in the state of an application, for a card or a job",
            "notice of suspicious activity, such as fraud",
        ),
        (_PROMOTION, "what recurs: statements, bills, new job offers", _SURVEYS),
        limit=None,
        retired=True,
    ),
    TagUse(
        "CONFIRMED_EVENT_UPDATE",
        (
            "a reminder of a class, an appointment or an event that the person has planned",
            "confirmation of a booking, or of attending an event",
            "news of a planned trip: arrival, cancellation, late luggage, other changes",
        ),
        (_PROMOTION, "events that the person has not signed up for", "events that are over", _SURVEYS),
        limit=None,
        retired=True,
    ),
    TagUse(
        "POST_PURCHASE_UPDATE",
        (
            "confirmation of a purchase: an invoice or a receipt",
            "the state of a delivery: under way, sent, delivered, late",
            "what the person has to do about an order: a refused card, a back order",
        ),
        (_PROMOTION, "cross-selling and up-selling", _SURVEYS),
        limit=None,
        retired=True,
    ),
)
RETIRED = frozenset(tag.name for tag in TAGS if tag.retired)
RETIREMENT = (
    "Meta refuses it since 2026-04-27 (100/1893061), although the French reference still lists it; "
    "send a utility template instead: messaging_type UTILITY with message.template"
)
