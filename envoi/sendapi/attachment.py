"""Attachments: media by address or by id, templates, and what Instagram has besides (SEND_API 3, Media)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, StrictBool, Tag, model_validator

from envoi.sendapi.choice import chosen_by
from envoi.sendapi.part import Digits, Part, Url, exactly_one
from envoi.sendapi.templates import Template

ATTACHMENT_TYPES = ("audio", "file", "image", "video", "template")
INSTAGRAM_ONLY = ("MEDIA_SHARE", "like_heart")


class MediaPayload(Part):
    """Where the media comes from. Meta fetches an address: 25 MB at most, an image 8 MB; within 10 s, a video 75 s.

    Attributes:
        url: where Meta fetches it.
        attachment_id: of media that this page has uploaded in the last 90 days.
        is_reusable: ask for an attachment id to send it again with.
    """

    url: Url | None = None
    attachment_id: Digits | None = None
    is_reusable: StrictBool | None = None

    @model_validator(mode="after")
    def _one_source(self) -> MediaPayload:
        exactly_one(self, ("url", "attachment_id"), "SEND_API 3")
        return self


class MediaAttachment(Part):
    """An audio, file, image or video."""

    type: Literal["audio", "file", "image", "video"]
    payload: MediaPayload


class ImageAttachment(Part):
    """One of several images."""

    type: Literal["image"]
    payload: MediaPayload


class TemplateAttachment(Part):
    """A structured message."""

    type: Literal["template"]
    payload: Template


class SharedPost(Part):
    """A post of the account itself."""

    id: Digits


class MediaShare(Part):
    """Instagram: a post of one's own."""

    type: Literal["MEDIA_SHARE"]
    payload: SharedPost


class LikeHeart(Part):
    """Instagram: the heart sticker; it has no payload."""

    type: Literal["like_heart"]


Attachment = Annotated[
    Annotated[MediaAttachment, Tag("<audio>")]
    | Annotated[MediaAttachment, Tag("<file>")]
    | Annotated[MediaAttachment, Tag("<image>")]
    | Annotated[MediaAttachment, Tag("<video>")]
    | Annotated[TemplateAttachment, Tag("<template>")]
    | Annotated[MediaShare, Tag("<MEDIA_SHARE>")]
    | Annotated[LikeHeart, Tag("<like_heart>")],
    Discriminator(*chosen_by("type", (*ATTACHMENT_TYPES, *INSTAGRAM_ONLY))),
]
