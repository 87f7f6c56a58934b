"""The job: what a caller wants sent, checked at the door the way Meta would check it."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictStr,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from envoi.errors import InvalidJob, Problem
from envoi.metadata import CALLER_LIMIT

Lane = Literal["replies", "bulk"]


def _storable(text: str) -> str:
    """Refuse what no UTF-8 request or PostgreSQL row can hold."""
    if "\x00" in text:
        raise PydanticCustomError("envoi", "must not contain the character NUL")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise PydanticCustomError("envoi", "must be valid UTF-8: it contains a lone surrogate")
    return text


Text = Annotated[StrictStr, AfterValidator(_storable)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Recipient(_Part):
    """Who receives the message (SEND_API 2). Digits, as a string: an id is never a number."""

    id: Annotated[Text, Field(pattern=r"^[0-9]{1,64}$")]


class Message(_Part):
    """What is sent (SEND_API 3)."""

    text: Annotated[Text, Field(min_length=1, max_length=2000)]
    metadata: Annotated[Text, Field(max_length=CALLER_LIMIT)] | None = None


class ReplyTo(_Part):
    """The message that is answered (SEND_API 3)."""

    mid: Annotated[Text, Field(min_length=1, max_length=1000)]


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
        at: aware datetime at which the job enters its line.
        expires_at: aware datetime after which the message is not sent any more.
        typing: show the typing bubble before the message.
        mark_seen: mark the conversation as seen first.
        max_attempts: attempts, the first included; None: the worker's default.
        on_unknown: what to do when nobody can say whether the message was sent.

    Raises:
        InvalidJob: with every problem at once, each with its field and limit.
    """

    page: Annotated[Text, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    recipient: Annotated[Recipient, BeforeValidator(_recipient)]
    message: Annotated[Message, BeforeValidator(_message)]
    messaging_type: Literal["RESPONSE", "UPDATE", "MESSAGE_TAG"] = "RESPONSE"
    notification_type: Literal["REGULAR", "SILENT_PUSH", "NO_PUSH"] | None = None
    tag: (
        Literal["ACCOUNT_UPDATE", "CONFIRMED_EVENT_UPDATE", "CUSTOMER_FEEDBACK", "HUMAN_AGENT", "POST_PURCHASE_UPDATE"]
        | None
    ) = None
    persona_id: Annotated[Text, Field(pattern=r"^[0-9]{1,64}$")] | None = None
    reply_to: ReplyTo | None = None
    key: Annotated[Text, Field(min_length=1, max_length=255)] | None = None
    lane: Lane = "replies"
    at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None
    typing: StrictBool = True
    mark_seen: StrictBool = False
    max_attempts: Annotated[int, Field(strict=True, ge=1, le=100)] | None = None
    on_unknown: Literal["stop"] = "stop"
    on_outcome: None = None

    def __init__(self, **fields: Any) -> None:  # noqa: ANN401  # whatever the caller gives is checked here
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise InvalidJob(*(_problem(detail) for detail in error.errors(include_url=False))) from None

    @model_validator(mode="after")
    def _combinations(self) -> Job:
        if self.messaging_type == "MESSAGE_TAG" and self.tag is None:
            raise PydanticCustomError("envoi", "{field}is required with messaging_type MESSAGE_TAG", {"field": "tag: "})
        if self.tag is not None and self.messaging_type != "MESSAGE_TAG":
            raise PydanticCustomError("envoi", "{field}only goes with messaging_type MESSAGE_TAG", {"field": "tag: "})
        if self.at and self.expires_at and self.expires_at <= self.at:
            raise PydanticCustomError("envoi", "{field}must be later than at", {"field": "expires_at: "})
        return self

    def payload(self, job_id: str) -> str:
        """The job as Redis and SQL keep it: JSON without what was left at its default of None."""
        return json.dumps({"id": job_id, **self._given()}, ensure_ascii=False, separators=(",", ":"))

    def key_digest(self) -> str:
        """The key as Redis names it: of one length and harmless characters."""
        return _digest(self.key)

    def digest(self) -> str:
        """What a repeat with the same key must agree in: recipient, message and Send API parameters."""
        given = self._given()
        return _digest([given.get(name) for name in _SEND_API])

    def _given(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_none=True)


_SEND_API = ("recipient", "message", "messaging_type", "notification_type", "tag", "persona_id", "reply_to")

# pydantic's error types in our words; anything else keeps pydantic's own sentence.
_LIMITS = {
    "missing": "is required",
    "extra_forbidden": "is not a parameter that this version knows",
    "string_type": "must be a string",
    "bool_type": "must be True or False",
    "int_type": "must be a whole number",
    "none_required": "is not supported by this version",
    "timezone_aware": "must be an aware datetime",
}
_PATTERNS = {
    "page": "must be 1 to 64 letters, digits, '_', '.' or '-'",
    "recipient.id": "must be a string of 1 to 64 digits",
    "persona_id": "must be a string of 1 to 64 digits",
}
_SOURCES = {
    "recipient.id": "SEND_API 1",
    "message.text": "SEND_API 3",
    "message.metadata": "SEND_API 12, less what the job's id takes",
    "tag": "SEND_API 2",
}


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]


def _problem(detail: ErrorDetails) -> Problem:
    field = ".".join(str(part) for part in detail["loc"])
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "string_pattern_mismatch":
        limit = _PATTERNS[field]
    elif kind in {"string_too_long", "too_long"}:
        limit = f"at most {context['max_length']} characters"
    elif kind in {"string_too_short", "too_short"}:
        limit = "must not be empty"
    elif kind in {"greater_than_equal", "less_than_equal"}:
        limit = f"must be at {'least' if 'ge' in context else 'most'} {context.get('ge', context.get('le'))}"
    elif kind == "literal_error":
        limit = f"must be {context['expected']}"
    elif kind in {"model_type", "model_attributes_type"}:
        limit = "must be a string or the Send API's own object"
    else:
        limit = _LIMITS.get(kind, detail["msg"])
    if not field and ": " in limit:  # a rule over several fields names its field itself
        field, limit = limit.split(": ", 1)
    return Problem(field, limit, _SOURCES.get(field, ""))


def seconds(moment: datetime | None) -> str:
    """An aware datetime as the scripts take it: seconds since the epoch, empty for None."""
    return "" if moment is None else f"{moment.timestamp():.6f}"
