"""What people do besides writing, to order: each one closed type, with the webhook it makes (SEND_API 7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

PersonId = Annotated[str, Field(pattern=r"^[0-9]{1,64}$")]
_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Postback:
    """The person tapped a button: opens the window."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    kind: Literal["postback"] = "postback"
    page: str
    recipient: PersonId
    title: str = "Get started"
    payload: str = "GET_STARTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """The person followed a link into the thread: opens the window."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    kind: Literal["referral"] = "referral"
    page: str
    recipient: PersonId
    ref: str = "ref"
    source: str = "SHORTLINK"
    ad_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """The person reacted to a message: opens the window."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    kind: Literal["reaction"] = "reaction"
    page: str
    recipient: PersonId
    message_id: str
    reaction: str = "love"
    emoji: str = "\u2764"
    action: Literal["react", "unreact"] = "react"


@dataclass(frozen=True, slots=True, kw_only=True)
class Optin:
    """The checkbox plugin was ticked: whose it is, Meta does not say."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    kind: Literal["optin"] = "optin"
    page: str
    user_ref: str
    ref: str = "ref"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationOptin:
    """The person let the page send marketing messages. That alone does not open the window (SEND_API 2)."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    kind: Literal["notification_optin"] = "notification_optin"
    page: str
    recipient: PersonId
    token: str
    title: str = "News"
    payload: str = "NEWS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The person's device got, or the person read, all messages up to now. ``message_id`` names one of them."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    kind: Literal["delivery", "read"]
    page: str
    recipient: PersonId
    message_id: str | None = None


Deed = Postback | Referral | Reaction | Optin | NotificationOptin
Happening = Annotated[Deed | Receipt, Field(discriminator="kind")]
OPENS_WINDOW = (Postback, Referral, Reaction)
_TOKEN_DAYS = 365


def webhook_of(deed: Deed, message_id: str, now: float) -> tuple[str, Mapping[str, object]]:
    """The name an app subscribes to it by, and the part of the event that is its own.

    Args:
        deed: what was done.
        message_id: a fresh one, for deeds that have one.
        now: Unix seconds.
    """
    match deed:
        case Postback():
            own: Mapping[str, object] = {"mid": message_id, "title": deed.title, "payload": deed.payload}
            return "messaging_postbacks", {"postback": own}
        case Referral():
            own = {"ref": deed.ref, "source": deed.source, "type": "OPEN_THREAD"}
            return "messaging_referrals", {"referral": own | ({} if deed.ad_id is None else {"ad_id": deed.ad_id})}
        case Reaction():
            own = {"reaction": deed.reaction, "emoji": deed.emoji, "action": deed.action, "mid": deed.message_id}
            return "message_reactions", {"reaction": own}
        case Optin():
            return "messaging_optins", {"optin": {"ref": deed.ref, "user_ref": deed.user_ref}}
        case NotificationOptin():
            own = {
                "type": "notification_messages",
                "notification_messages_token": deed.token,
                "token_expiry_timestamp": int((now + _TOKEN_DAYS * 86_400) * 1000),
                "user_token_status": "NOT_REFRESHED",
                "title": deed.title,
                "payload": deed.payload,
            }
            return "messaging_optins", {"optin": own}
