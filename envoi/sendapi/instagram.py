"""What Instagram refuses although Messenger takes it (SEND_API 2, Instagram restrictions; 3)."""

from __future__ import annotations

from collections.abc import Iterator

from envoi.errors import Problem
from envoi.sendapi.attachment import TemplateAttachment
from envoi.sendapi.message import Message
from envoi.sendapi.parameters import Parameters
from envoi.sendapi.templates import TEMPLATE_TYPES, ButtonTemplate, GenericTemplate

TEXT_BYTES = 1000  # of UTF-8; SEND_API 12: one page says characters, bytes is the safe reading
IMAGES = 10
RECIPIENTS = ("id", "comment_id")
TEMPLATES = ("generic", "button", "product")
BUTTONS = ("web_url", "postback")


def instagram_problems(given: Parameters) -> Iterator[Problem]:
    """Everything about a send that Instagram does not take."""
    kind = given.recipient.kind
    if kind not in RECIPIENTS:
        yield Problem(f"recipient.{kind}", "is not available for Instagram: id or comment_id", "SEND_API 2")
    if given.tag not in (None, "HUMAN_AGENT"):
        yield Problem("tag", "must be HUMAN_AGENT for Instagram", "SEND_API 2")
    if given.persona_id is not None:
        yield Problem("persona_id", "is not available for Instagram", "SEND_API 2")
    yield from _content_problems(given.message)
    yield from _template_problems(given.message)


def _content_problems(message: Message) -> Iterator[Problem]:
    if message.text is not None and len(message.text.encode()) > TEXT_BYTES:
        yield Problem("message.text", f"at most {TEXT_BYTES} bytes of UTF-8 for Instagram", "SEND_API 3")
    if message.attachments is not None and len(message.attachments) > IMAGES:
        yield Problem("message.attachments", f"at most {IMAGES} images for Instagram", "SEND_API 3")
    if message.template is not None:
        yield Problem("message.template", "is not available for Instagram", "SEND_API 2")
    for place, reply in enumerate(message.quick_replies or ()):
        if reply.content_type != "text" or reply.image_url is not None:
            yield Problem(f"message.quick_replies.{place}", "must be plain text for Instagram", "SEND_API 3")


def _template_problems(message: Message) -> Iterator[Problem]:
    kind = message.template_type
    if kind is None or not isinstance(message.attachment, TemplateAttachment):
        return
    path = "message.attachment.payload"
    if kind in TEMPLATE_TYPES and kind not in TEMPLATES:  # a type unknown to us was let pass on purpose
        yield Problem(f"{path}.template_type", f"must be {', '.join(TEMPLATES)} for Instagram", "SEND_API 2")
    template = message.attachment.payload
    if isinstance(template, ButtonTemplate):
        yield from _button_problems(path, [button.type for button in template.buttons])
    if isinstance(template, GenericTemplate):
        for place, element in enumerate(template.elements):
            yield from _button_problems(f"{path}.elements.{place}", [button.type for button in element.buttons or ()])


def _button_problems(path: str, types: list[str]) -> Iterator[Problem]:
    for place, kind in enumerate(types):
        if kind not in BUTTONS:
            yield Problem(f"{path}.buttons.{place}.type", "must be web_url or postback for Instagram", "SEND_API 2")
