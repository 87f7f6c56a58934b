"""Checks of quick replies (SEND_API 3, Text and common)."""

from __future__ import annotations

from sandbox.errors import invalid
from sandbox.pages import Page, Platform
from sandbox.shape import address, choice, rows, text

MAX_QUICK_REPLIES = 13
MAX_TITLE_CHARS = 20
MAX_PAYLOAD_CHARS = 1000
_CONTENTS = ("text", "attachment", "attachments")  # SEND_API 3: "may go with `text` or `attachment`"
_TYPES = ("text", "user_phone_number", "user_email")


def check_quick_replies(replies: object, page: Page, *, content: str) -> None:
    """Refuse quick replies that are too many or wrong. Instagram takes plain ones with a text, and cuts titles.

    Raises:
        Refused: 100; 105 for too many.
    """
    if replies is None:
        return
    instagram = page.platform is Platform.INSTAGRAM
    for number, reply in enumerate(rows(replies, "message[quick_replies]", 0, MAX_QUICK_REPLIES)):
        name = f"message[quick_replies][{number}]"
        choice(reply.get("content_type"), f"{name}[content_type]", _TYPES)
        needs_title = reply["content_type"] == "text"
        text(reply.get("title"), f"{name}[title]", None if instagram else MAX_TITLE_CHARS, required=needs_title)
        text(reply.get("payload"), f"{name}[payload]", MAX_PAYLOAD_CHARS, required=False)
        address(reply.get("image_url"), f"{name}[image_url]", required=False)
        if instagram and (reply["content_type"] != "text" or reply.get("image_url")):
            raise invalid(f"Param {name} must be plain text for Instagram")
    if replies and content not in (("text",) if instagram else _CONTENTS):
        raise invalid("Param message[quick_replies] needs message[text]")
