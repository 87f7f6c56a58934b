"""The message: one content, and what may go with it (SEND_API 3)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictStr, model_validator

from envoi.fields import STORABLE
from envoi.metadata import CALLER_LIMIT
from envoi.sendapi.attachment import Attachment, ImageAttachment, TemplateAttachment
from envoi.sendapi.part import Digits, Name, Part, Payload, Text20, Url, exactly_one, wrong
from envoi.sendapi.templates import UtilityTemplate

TEXT_LIMIT = 2000  # characters; SEND_API 12: the reference says fewer, Meta's own error "less than or equal to"
QUICK_REPLIES_LIMIT = 13
IMAGES_LIMIT = 30
CONTENTS = ("text", "attachment", "attachments", "template", "sticker_id")


class QuickReply(Part):
    """A button that goes away when tapped; with ``text`` it needs a title."""

    content_type: Literal["text", "user_phone_number", "user_email"]
    title: Text20 | None = None
    payload: Payload | None = None
    image_url: Url | None = None

    @model_validator(mode="after")
    def _titled(self) -> QuickReply:
        if self.content_type == "text" and self.title is None:
            raise wrong("is required with content_type text", part="title")
        return self


class Message(Part):
    """What is sent: exactly one of text, attachment, attachments, template and sticker_id.

    Attributes:
        text: at most 2000 characters (Instagram: 1000 bytes).
        attachment: media or a template.
        attachments: several images, at most 30 (Instagram: 10).
        template: a utility template.
        sticker_id: a sticker.
        quick_replies: at most 13, below a text or attachments.
        metadata: comes back in the echo; the job's id is put behind it.
    """

    text: Annotated[StrictStr, Field(min_length=1, max_length=TEXT_LIMIT), STORABLE] | None = None
    attachment: Attachment | None = None
    attachments: Annotated[list[ImageAttachment], Field(min_length=1, max_length=IMAGES_LIMIT)] | None = None
    template: UtilityTemplate | None = None
    sticker_id: Digits | None = None
    quick_replies: Annotated[list[QuickReply], Field(min_length=1, max_length=QUICK_REPLIES_LIMIT)] | None = None
    metadata: Annotated[StrictStr, Field(max_length=CALLER_LIMIT), STORABLE] | None = None

    @model_validator(mode="after")
    def _one_content(self) -> Message:
        if self.text is not None and len(self.model_fields_set) == 1:
            return self  # nearly all
        exactly_one(self, CONTENTS, "SEND_API 2")
        if self.quick_replies and (self.template or self.sticker_id):
            raise wrong("only go with a text or attachments", part="quick_replies", source="SEND_API 3")
        return self

    @property
    def template_type(self) -> str | None:
        """The type of the attached template, if the content is one."""
        if isinstance(self.attachment, TemplateAttachment):
            return self.attachment.payload.template_type
        return None


class ReplyTo(Part):
    """The message that is answered: by either party, and the person has written in the last 24 hours (SEND_API 2)."""

    mid: Name
