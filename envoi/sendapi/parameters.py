"""The parameters of one send: what the Send API takes beside a sender action (SEND_API 1, 2)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StrictBool

from envoi.fields import PageId
from envoi.sendapi.message import Message, ReplyTo
from envoi.sendapi.part import Digits, Part
from envoi.sendapi.recipient import GivenRecipient

SEND_API = frozenset(
    {"recipient", "message", "messaging_type", "notification_type", "tag", "persona_id", "reply_to"}
)  # names that the Send API itself knows


def _message(value: object) -> object:
    return {"text": value} if isinstance(value, str) else value


class Parameters(Part):
    """One send, as the Send API takes it, with the platform by whose rules it is checked."""

    page: PageId
    recipient: GivenRecipient
    message: Annotated[Message, BeforeValidator(_message)]
    messaging_type: Literal["RESPONSE", "UPDATE", "MESSAGE_TAG", "UTILITY"] = "RESPONSE"
    notification_type: Literal["REGULAR", "SILENT_PUSH", "NO_PUSH"] | None = None
    tag: (
        Literal["ACCOUNT_UPDATE", "CONFIRMED_EVENT_UPDATE", "CUSTOMER_FEEDBACK", "HUMAN_AGENT", "POST_PURCHASE_UPDATE"]
        | None
    ) = None
    persona_id: Digits | None = None
    reply_to: ReplyTo | None = None
    # Left out of the payload where they say nothing: a queue holds millions of jobs.
    platform: Literal["messenger", "instagram"] = Field("messenger", exclude_if=lambda value: value == "messenger")
    allow_unknown: StrictBool = Field(default=False, exclude_if=lambda value: not value)
