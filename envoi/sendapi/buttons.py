"""Buttons of templates (SEND_API 3, Buttons)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, StrictBool, StrictStr, Tag

from envoi.sendapi.choice import chosen_by
from envoi.sendapi.part import Part, Payload, PlainObject, Text20, Url


class _Webview(Part):
    url: Url
    webview_height_ratio: Literal["compact", "tall", "full"] | None = None
    messenger_extensions: StrictBool | None = None
    fallback_url: Url | None = None
    webview_share_button: Literal["hide", "show"] | None = None


class DefaultAction(_Webview):
    """What a tap on an element opens: an address button without a title."""

    type: Literal["web_url"]


class UrlButton(_Webview):
    """Opens an address."""

    type: Literal["web_url"]
    title: Text20


class PostbackButton(Part):
    """Sends its payload back to the page."""

    type: Literal["postback"]
    title: Text20
    payload: Payload


class CallButton(Part):
    """Dials a number, written ``+<country><number>``."""

    type: Literal["phone_number"]
    title: Text20
    payload: Annotated[StrictStr, Field(pattern=r"^\+[0-9]{4,20}$")]


class LinkButton(Part):
    """Begins account linking; ``login`` is its old name."""

    type: Literal["account_link"]
    url: Url
    title: Text20 | None = None


class UnlinkButton(Part):
    """Ends account linking; ``logout`` is its old name."""

    type: Literal["account_unlink"]
    title: Text20 | None = None


class GameButton(Part):
    """Opens an instant game."""

    type: Literal["game_play"]
    title: Text20
    payload: Payload | None = None
    game_metadata: PlainObject | None = None


class AudioCallButton(Part):
    """Calls the page (since 2026-02)."""

    type: Literal["audio_call"]
    title: Text20
    payload: Payload | None = None


BUTTON_TYPES = (
    "web_url",
    "postback",
    "phone_number",
    "account_link",
    "account_unlink",
    "game_play",
    "audio_call",
)
Button = Annotated[
    Annotated[UrlButton, Tag("<web_url>")]
    | Annotated[PostbackButton, Tag("<postback>")]
    | Annotated[CallButton, Tag("<phone_number>")]
    | Annotated[LinkButton, Tag("<account_link>")]
    | Annotated[UnlinkButton, Tag("<account_unlink>")]
    | Annotated[GameButton, Tag("<game_play>")]
    | Annotated[AudioCallButton, Tag("<audio_call>")],
    Discriminator(*chosen_by("type", BUTTON_TYPES)),
]
Buttons = Annotated[list[Button], Field(min_length=1, max_length=3)]
