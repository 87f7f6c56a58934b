"""Checks of the message and of the sender action (SEND_API 2, Combination table; 3, Text, Media)."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.call import MESSAGE, SENDER_ACTIONS, Call
from sandbox.errors import Refused, invalid, known
from sandbox.media import check_media, check_pictures
from sandbox.pages import Page, Platform
from sandbox.quick_replies import check_quick_replies
from sandbox.shape import text
from sandbox.switches import Switches
from sandbox.templates import check_template

# SEND_API 12: the French reference says fewer than 2000, Meta's live error "less than or equal to".
MAX_TEXT_CHARS = 2000
MAX_INSTAGRAM_TEXT_BYTES = 1000  # SEND_API 12: bytes, not characters
MAX_METADATA_CHARS = 1000  # SEND_API 12: the reference's "must not exceed 1000"; the English page has fewer than 1000
ATTACHMENT_TYPES = ("audio", "file", "image", "template", "video")
INSTAGRAM_ATTACHMENT_TYPES = (*ATTACHMENT_TYPES, "MEDIA_SHARE", "like_heart")  # SEND_API 3, Instagram extras
_CONTENTS = ("text", "attachment", "attachments", "template", "sticker_id")


def check_one_step(call: Call, page: Page) -> None:  # noqa: ARG001  # every check has the same shape
    """Refuse both or neither of message and sender action, and an action that does not exist.

    Raises:
        Refused: 100/2018014, 100/2018015 or 100.
    """
    has_action = "sender_action" in call.parameters
    has_message = "message" in call.parameters or "template" in call.parameters
    if has_action and has_message:
        raise Refused(known(100, 2018014))
    if not has_action and not has_message:
        raise Refused(known(100, 2018015))
    if has_action and call.step is None:
        raise invalid(f"Param sender_action must be one of {{{', '.join(SENDER_ACTIONS).upper()}}}")


def check_action(call: Call, page: Page) -> None:
    """Refuse a sender action with any parameter but the recipient, or a reaction without its payload.

    Raises:
        Refused: 100.
    """
    if call.step is None or call.step == MESSAGE:
        return
    reaction = call.step in ("react", "unreact")
    allowed = {"recipient", "sender_action"} | ({"payload"} if reaction else set())
    others = sorted(call.parameters.keys() - allowed)
    if others:
        raise invalid(f"Param sender_action can only be sent with recipient, not with {', '.join(others)}")
    if not reaction:
        return
    payload = call.parameters.get("payload")
    fields = ("message_id", "reaction") if call.step == "react" else ("message_id",)
    for field in fields:
        if not isinstance(payload, dict) or not _filled_string(payload.get(field)):
            raise invalid(f"Param payload[{field}] is required")
    if not isinstance(payload, dict) or page.platform is not Platform.INSTAGRAM:
        return
    if payload.get("reaction") not in (None, "love"):
        # SEND_API 2: Messenger takes any emoji, the Instagram page documents `love` alone.
        raise invalid("Param payload[reaction] must be love")


def check_message(call: Call, page: Page, switches: Switches) -> None:
    """Refuse a message that is empty, of two contents, too long, or of a wrong shape.

    Raises:
        Refused: 100 with the subcode the facts give, or 105 and 194 for too many and too few elements.
    """
    if call.step != MESSAGE or "message" not in call.parameters:
        return
    message = call.parameters["message"]
    if not isinstance(message, dict):
        raise invalid("Param message must be an object")
    given = _contents(call, message)
    if "text" in given:
        _check_text(message["text"], page)
    if "attachment" in given:
        check_attachment(message["attachment"], page)
        check_media(message["attachment"], call.files)
        if message["attachment"]["type"] == "template":
            check_template(message["attachment"]["payload"], page, switches)
    if "attachments" in given:
        check_pictures(message["attachments"], page)
    if "sticker_id" in given:
        text(message["sticker_id"], "message[sticker_id]")
    _check_metadata(message.get("metadata"))
    check_quick_replies(message.get("quick_replies"), page, content=given[0])


def _contents(call: Call, message: Mapping[str, object]) -> list[str]:
    """The one content of a message, or the template beside it, by name."""
    if message.get("text") == "":
        raise Refused(known(100, 2018032))
    given = [name for name in _CONTENTS if message.get(name) not in (None, [], {})]
    if "template" in call.parameters:
        given.append("template")
    if not given:
        raise Refused(known(100, 2018034))
    if len(given) > 1:
        # Known of text and attachment; of the others not, and a client must not depend on one being overlooked.
        raise invalid("Only one of message[text] and message[attachment] can be set")
    return given


def _check_text(text: object, page: Page) -> None:
    if not isinstance(text, str):
        raise invalid("Param message[text] must be a string")
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:  # half of a surrogate pair, which JSON can spell and UTF-8 cannot
        raise invalid("Param message[text] must be a valid UTF-8 string") from error
    if page.platform is Platform.INSTAGRAM:
        if size > MAX_INSTAGRAM_TEXT_BYTES:
            raise invalid(f"Length of param message[text] must be less than or equal to {MAX_INSTAGRAM_TEXT_BYTES}")
    elif len(text) > MAX_TEXT_CHARS:
        raise invalid(f"Length of param message[text] must be less than or equal to {MAX_TEXT_CHARS}")


def _check_metadata(metadata: object) -> None:
    if metadata is None:
        return
    if not isinstance(metadata, str):
        raise invalid("Param message[metadata] must be a string")
    if len(metadata) > MAX_METADATA_CHARS:
        raise invalid(f"Length of param message[metadata] must be less than or equal to {MAX_METADATA_CHARS}")


def check_attachment(attachment: object, page: Page) -> None:
    """Refuse an attachment without a type or a payload.

    Raises:
        Refused: 100.
    """
    if not isinstance(attachment, dict):
        raise invalid("Param message[attachment] must be an object")
    types = INSTAGRAM_ATTACHMENT_TYPES if page.platform is Platform.INSTAGRAM else ATTACHMENT_TYPES
    kind = attachment.get("type")
    if kind is None:
        raise invalid("Param message[attachment][type] is required")
    if kind not in types:
        raise invalid(f"Param message[attachment][type] must be one of {{{', '.join(types)}}}")
    if not isinstance(attachment.get("payload"), dict) and kind != "like_heart":
        raise invalid("Param message[attachment][payload] is required")


def _filled_string(value: object) -> bool:
    return isinstance(value, str) and value != ""
