"""Checks of buttons (SEND_API 3, Buttons)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sandbox.errors import Refused, invalid, known
from sandbox.pages import Page, Platform
from sandbox.shape import address, choice, rows, text

MAX_BUTTONS = 3
MAX_TITLE_CHARS = 20
MAX_PAYLOAD_CHARS = 1000
BUTTON_TYPES = ("web_url", "postback", "phone_number", "account_link", "account_unlink", "game_play", "audio_call")
INSTAGRAM_BUTTON_TYPES = ("web_url", "postback")
_WITHOUT_TITLE = ("account_link", "account_unlink")
_PHONE_NUMBER = re.compile(r"\+[0-9]{4,20}", re.ASCII)


def check_buttons(value: object, name: str, page: Page, *, least: int = 0) -> None:
    """Refuse buttons that are too many, too few or wrong; ``name`` is theirs in Graph's words.

    Raises:
        Refused: 100, with a subcode where one is recorded; 105 and 194.
    """
    for number, button in enumerate(rows(value, name, least, MAX_BUTTONS)):
        _check(button, f"{name}[{number}]", page)


def check_default_action(value: object, name: str) -> None:
    """Refuse what a tap on an element should open, unless it is an address button without a title.

    Raises:
        Refused: 100.
    """
    if value is None:
        return
    if not isinstance(value, dict) or value.get("type") != "web_url":
        raise invalid(f"Param {name}[type] must be web_url")
    if "title" in value:
        raise invalid(f"Param {name}[title] is not allowed")
    address(value.get("url"), f"{name}[url]")


def _check(button: Mapping[str, object], name: str, page: Page) -> None:
    types = INSTAGRAM_BUTTON_TYPES if page.platform is Platform.INSTAGRAM else BUTTON_TYPES
    kind = button.get("type")
    choice(kind, f"{name}[type]", types)
    if button.get("title") in (None, "") and kind not in _WITHOUT_TITLE:
        raise Refused(known(100, 2018053))
    text(button.get("title"), f"{name}[title]", MAX_TITLE_CHARS, required=False)
    if kind in ("web_url", "account_link"):
        if button.get("url") in (None, ""):
            raise Refused(known(100, 2018041))
        address(button["url"], f"{name}[url]")
    elif kind == "postback":
        if button.get("payload") in (None, ""):
            raise Refused(known(100, 2018040))
        text(button["payload"], f"{name}[payload]", MAX_PAYLOAD_CHARS)
    elif kind == "phone_number":
        text(button.get("payload"), f"{name}[payload]", MAX_PAYLOAD_CHARS)
        if not _PHONE_NUMBER.fullmatch(str(button["payload"])):
            raise invalid(f"Param {name}[payload] must be a phone number, +<country><number>")
