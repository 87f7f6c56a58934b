"""The recipient: who receives the message, given in exactly one way (SEND_API 2, Recipient kinds)."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictStr, model_validator

from envoi.fields import STORABLE
from envoi.sendapi.part import Digits, Name, Part, exactly_one, wrong

KINDS = (
    "id",
    "user_ref",
    "comment_id",
    "post_id",
    "phone_number",
    "notification_messages_token",
    "one_time_notif_token",
)
Kind = Literal[
    "id", "user_ref", "comment_id", "post_id", "phone_number", "notification_messages_token", "one_time_notif_token"
]
_GraphId = Annotated[StrictStr, Field(pattern=r"^[0-9]{1,64}(_[0-9]{1,64}){0,2}$"), STORABLE]
TOKEN_BYTES = 1000  # of UTF-8; ours: an index of the log holds no longer ones, and Meta's are a few hundred letters


def _short(value: str) -> str:
    if len(value.encode()) > TOKEN_BYTES:
        raise wrong(f"at most {TOKEN_BYTES} bytes of UTF-8")
    return value


_Token = Annotated[Name, AfterValidator(_short)]
_SEPARATORS = re.compile(r"[^+0-9]+")


class PersonName(Part):
    """A name beside a phone number; it helps Meta to find the person (SEND_API 2; unverified there)."""

    first_name: Name
    last_name: Name


class Recipient(Part):
    """Who receives the message.

    Attributes:
        id: page-scoped id (Instagram: Instagram-scoped). Digits, as a string: an id is never a number (SEND_API 1).
        user_ref: from the checkbox plugin; the answer names no recipient id.
        comment_id: private reply to a comment: one message, within 7 days.
        post_id: private reply to a visitor's post; Messenger only.
        phone_number: as in +1(212)555-2368; needs a permission of its own. The answer names no recipient id.
        name: beside ``phone_number`` only.
        notification_messages_token: of a person who opted in to notifications.
        one_time_notif_token: for one message; Messenger only.
    """

    id: Digits | None = None
    user_ref: _Token | None = None
    comment_id: _GraphId | None = None
    post_id: _GraphId | None = None
    phone_number: Annotated[StrictStr, Field(pattern=r"^\+?[0-9() .-]{5,32}$"), STORABLE] | None = None
    name: PersonName | None = None
    notification_messages_token: _Token | None = None
    one_time_notif_token: _Token | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Recipient:
        if self.id is not None and len(self.model_fields_set) == 1:
            return self  # nearly all: thousands of jobs a second come this way
        exactly_one(self, KINDS, "SEND_API 2")
        if self.name is not None and self.phone_number is None:
            raise wrong("only goes with phone_number", part="name", source="SEND_API 2")
        return self

    @property
    def kind(self) -> Kind:
        """The field that the person is given by."""
        if self.id is not None:
            return "id"
        return next(kind for kind in _KINDS if getattr(self, kind) is not None)

    @property
    def key(self) -> str:
        """What tells this person from others given in the same way: a phone number in any spelling is one person."""
        if self.id is not None:
            return self.id
        value: str = getattr(self, self.kind)
        return _SEPARATORS.sub("", value) if self.kind == "phone_number" else value


def _from_id(value: object) -> object:
    return {"id": value} if isinstance(value, str) else value


GivenRecipient = Annotated[Recipient, BeforeValidator(_from_id)]  # a string stands for an id

_KINDS: tuple[Kind, ...] = KINDS  # type: ignore[assignment]  # the same names, as their Literal
