"""Templates: the structured contents of an attachment (SEND_API 3, Templates)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Discriminator, Field, StrictBool, StrictStr, Tag, ValidationInfo, model_validator

from envoi.fields import STORABLE
from envoi.sendapi.buttons import Buttons, DefaultAction
from envoi.sendapi.choice import chosen_by
from envoi.sendapi.feedback import FeedbackTemplate
from envoi.sendapi.part import (
    Digits,
    Name,
    Part,
    PlainObject,
    Text45,
    Text80,
    Text640,
    Url,
    exactly_one,
    passed_through,
    wrong,
)
from envoi.sendapi.receipt import ReceiptTemplate

TEMPLATE_TYPES = (
    "generic",
    "button",
    "media",
    "receipt",
    "coupon",
    "product",
    "customer_feedback",
    "image_grid",
)


class Element(Part):
    """One card of a generic template: a title and at least one thing besides."""

    title: Text80
    subtitle: Text80 | None = None
    image_url: Url | None = None
    default_action: DefaultAction | None = None
    buttons: Buttons | None = None

    @model_validator(mode="after")
    def _more_than_a_title(self) -> Element:
        if not (self.subtitle or self.image_url or self.default_action or self.buttons):
            raise wrong("must have at least one field besides title")
        return self


class GenericTemplate(Part):
    """Cards side by side."""

    template_type: Literal["generic"]
    elements: Annotated[list[Element], Field(min_length=1, max_length=10)]
    image_aspect_ratio: Literal["horizontal", "square"] | None = None
    sharable: StrictBool | None = None


class ButtonTemplate(Part):
    """A text with buttons below it."""

    template_type: Literal["button"]
    text: Text640
    buttons: Buttons
    sharable: StrictBool | None = None


class MediaElement(Part):
    """An image or a video that Meta holds already."""

    media_type: Literal["image", "video"]
    attachment_id: Digits | None = None
    url: Annotated[Url, Field(pattern=r"^(?i:https?)://([A-Za-z0-9-]+\.)*facebook\.com/")] | None = None
    buttons: Buttons | None = None

    @model_validator(mode="after")
    def _one_source(self) -> MediaElement:
        exactly_one(self, ("attachment_id", "url"), "SEND_API 3")
        return self


class MediaTemplate(Part):
    """One image or video with buttons."""

    template_type: Literal["media"]
    elements: Annotated[list[MediaElement], Field(min_length=1, max_length=1)]
    sharable: StrictBool | None = None


class Product(Part):
    """A product of the catalogue."""

    id: Digits


class ProductTemplate(Part):
    """Products of the page's catalogue."""

    template_type: Literal["product"]
    elements: Annotated[list[Product], Field(min_length=1, max_length=10)]


class CouponTemplate(Part):
    """A coupon: promotional by its nature."""

    template_type: Literal["coupon"]
    title: Name
    subtitle: Name | None = None
    coupon_code: Name | None = None
    coupon_url: Url | None = None
    coupon_url_button_title: Name | None = None
    coupon_pre_message: Name | None = None
    image_url: Url | None = None
    payload: Name | None = None


class ImageGridTemplate(Part):
    """Two to six images (since 2026-06-30). The facts name no field for them: ``images`` and ``elements`` are taken."""

    template_type: Literal["image_grid"]
    title: Text45 | None = None
    subtitle: Text80 | None = None
    images: Annotated[list[PlainObject], Field(min_length=2, max_length=6)] | None = None
    elements: Annotated[list[PlainObject], Field(min_length=2, max_length=6)] | None = None
    buttons: Buttons | None = None

    @model_validator(mode="after")
    def _images(self) -> ImageGridTemplate:
        exactly_one(self, ("images", "elements"), "SEND_API 3")
        return self


class UnknownTemplate(Part):
    """A newer template: passed through unchecked, where the job allows that."""

    model_config = ConfigDict(extra="allow")

    template_type: Name

    @model_validator(mode="before")
    @classmethod
    def _allowed(cls, value: object, info: ValidationInfo) -> object:
        if isinstance(value, cls) or (isinstance(info.context, dict) and info.context.get("allow_unknown")):
            return value if isinstance(value, cls) else passed_through(value)
        known = ", ".join(TEMPLATE_TYPES)
        raise wrong(f"must be one of {known}; allow_unknown=True passes another unchecked", part="template_type")


class Language(Part):
    """Language of a utility template."""

    code: Annotated[StrictStr, Field(pattern=r"^[A-Za-z_-]{2,16}$")]


class UtilityTemplate(Part):
    """A template that Meta has approved: not an attachment, but ``message.template``, with messaging_type UTILITY."""

    name: Annotated[StrictStr, Field(min_length=1, max_length=512), STORABLE]
    language: Language
    components: Annotated[list[PlainObject], Field(max_length=100)] | None = None


Template = Annotated[
    Annotated[GenericTemplate, Tag("<generic>")]
    | Annotated[ButtonTemplate, Tag("<button>")]
    | Annotated[MediaTemplate, Tag("<media>")]
    | Annotated[ReceiptTemplate, Tag("<receipt>")]
    | Annotated[CouponTemplate, Tag("<coupon>")]
    | Annotated[ProductTemplate, Tag("<product>")]
    | Annotated[FeedbackTemplate, Tag("<customer_feedback>")]
    | Annotated[ImageGridTemplate, Tag("<image_grid>")]
    | Annotated[UnknownTemplate, Tag("<another>")],
    Discriminator(*chosen_by("template_type", TEMPLATE_TYPES, other="<another>")),
]
