"""The job: what a caller wants sent, checked at the door the way Meta would check it."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictStr,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from envoi.errors import InvalidJob
from envoi.fields import PAGE_ID, STORABLE, Moment, Typing
from envoi.metadata import CALLER_LIMIT
from envoi.problems import problems

Lane = Literal["replies", "bulk"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Recipient(_Part):
    """Who receives the message (SEND_API 2). Digits, as a string: an id is never a number."""

    id: Annotated[StrictStr, Field(pattern=r"^[0-9]{1,64}$"), STORABLE]


class Message(_Part):
    """What is sent (SEND_API 3)."""

    text: Annotated[StrictStr, Field(min_length=1, max_length=2000), STORABLE]
    metadata: Annotated[StrictStr, Field(max_length=CALLER_LIMIT), STORABLE] | None = None


class ReplyTo(_Part):
    """The message that is answered (SEND_API 3)."""

    mid: Annotated[StrictStr, Field(min_length=1, max_length=1000), STORABLE]


def _recipient(value: object) -> object:
    return {"id": value} if isinstance(value, str) else value


def _message(value: object) -> object:
    return {"text": value} if isinstance(value, str) else value


class Job(_Part):
    """One message to one recipient: the Send API's own parameters plus delivery options.

    Args:
        page: the sender's page id.
        recipient: a page-scoped id, or the Send API's own object.
        message: a text, or the Send API's own object.
        messaging_type, notification_type, tag, persona_id, reply_to: as in the Send API.
        key: repeats with the same key return the first job; unique within the page.
        lane: ``replies`` goes before ``bulk``.
        at: aware datetime at which the job enters its line; at most 366 days ahead.
        expires_at: aware datetime after which the message is not sent any more; at most 366 days ahead.
        typing: the typing bubble before the message: True shows it for as long as the call takes, a number for so
            many seconds (at most 15), "auto" for a time that fits the length of the text, False not at all.
        mark_seen: mark the conversation as seen first.
        max_attempts: attempts, the first included; None: the worker's default.
        on_unknown: what to do when nobody can say whether the message was sent: "stop" leaves it at that.

    Raises:
        InvalidJob: with every problem at once, each with its field and limit.
    """

    page: Annotated[StrictStr, Field(pattern=PAGE_ID), STORABLE]
    recipient: Annotated[Recipient, BeforeValidator(_recipient)]
    message: Annotated[Message, BeforeValidator(_message)]
    messaging_type: Literal["RESPONSE", "UPDATE", "MESSAGE_TAG"] = "RESPONSE"
    notification_type: Literal["REGULAR", "SILENT_PUSH", "NO_PUSH"] | None = None
    tag: (
        Literal["ACCOUNT_UPDATE", "CONFIRMED_EVENT_UPDATE", "CUSTOMER_FEEDBACK", "HUMAN_AGENT", "POST_PURCHASE_UPDATE"]
        | None
    ) = None
    persona_id: Annotated[StrictStr, Field(pattern=r"^[0-9]{1,64}$"), STORABLE] | None = None
    reply_to: ReplyTo | None = None
    key: Annotated[StrictStr, Field(min_length=1, max_length=255), STORABLE] | None = None
    lane: Lane = "replies"
    at: Moment | None = None
    expires_at: Moment | None = None
    typing: Typing = True
    mark_seen: StrictBool = False
    max_attempts: Annotated[int, Field(strict=True, ge=1, le=100)] | None = None
    on_unknown: Literal["stop"] = "stop"
    on_outcome: None = None

    def __init__(self, **fields: Any) -> None:  # noqa: ANN401  # whatever the caller gives is checked here
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise InvalidJob(*problems(error, _LIMITS, _SOURCES)) from None

    @model_validator(mode="after")
    def _combinations(self) -> Job:
        if self.messaging_type == "MESSAGE_TAG" and self.tag is None:
            raise PydanticCustomError("envoi", "is required with messaging_type MESSAGE_TAG", {"field": "tag"})
        if self.tag is not None and self.messaging_type != "MESSAGE_TAG":
            raise PydanticCustomError("envoi", "only goes with messaging_type MESSAGE_TAG", {"field": "tag"})
        if self.tag == "CUSTOMER_FEEDBACK":  # with anything else it is refused (SEND_API 2)
            raise PydanticCustomError(
                "envoi",
                "CUSTOMER_FEEDBACK only goes with its template, which this version does not know",
                {"field": "tag"},
            )
        if self.at and self.expires_at and self.expires_at <= self.at:
            raise PydanticCustomError("envoi", "must be later than at", {"field": "expires_at"})
        return self

    def payload(self, job_id: str) -> str:
        """The job as Redis and SQL keep it: JSON without what was left at its default of None."""
        return f'{{"id":"{job_id}",{self.model_dump_json(exclude_none=True)[1:]}'

    def key_digest(self) -> str:
        """The key as Redis names it: of one length and harmless characters."""
        return _digest(self.key)

    def digest(self) -> str:
        """What a repeat with the same key must agree in: recipient, message and Send API parameters."""
        return _digest(self.model_dump(include=_SEND_API, exclude_none=True))


_SEND_API = {"recipient", "message", "messaging_type", "notification_type", "tag", "persona_id", "reply_to"}

_LIMITS = {
    "page": "must be 1 to 64 letters, digits, '_', '.' or '-'",
    "recipient.id": "must be a string of 1 to 64 digits",
    "persona_id": "must be a string of 1 to 64 digits",
    "on_unknown": "must be 'stop': this version resends nothing that may have been sent",
}
_SOURCES = {
    "recipient.id": "SEND_API 1",
    "message.text": "SEND_API 3",
    "message.metadata": "SEND_API 12, less what the job's id takes",
    "tag": "SEND_API 2",
}


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]


def seconds(moment: datetime | None) -> str:
    """An aware datetime as the scripts take it: seconds since the epoch, empty for None."""
    return "" if moment is None else f"{moment.timestamp():.6f}"
