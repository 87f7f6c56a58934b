"""The customer feedback template: one screen with one question (SEND_API 3, Templates)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictInt, StrictStr

from envoi.fields import STORABLE
from envoi.sendapi.part import PLAIN_WORDS, Part, Text20, Text80, Text400, Url


class FollowUp(Part):
    """A field for free text below the question."""

    type: Literal["free_form"]
    placeholder: Text400 | None = None


class Question(Part):
    """What the person is asked. ``id``: at most 80 letters, digits and ``_``."""

    id: Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9_]{1,80}$")]
    type: Literal["csat", "nps", "ces", "free_form"]
    title: Annotated[StrictStr, Field(min_length=5, max_length=85), STORABLE] | None = None
    score_label: Text80 | None = None
    score_option: Text80 | None = None
    follow_up: FollowUp | None = None


class Screen(Part):
    """The one screen."""

    questions: Annotated[list[Question], Field(min_length=1, max_length=1)]


class BusinessPrivacy(Part):
    """Where the business's privacy policy is."""

    url: Url


class FeedbackTemplate(Part):
    """A survey. ``expires_in_days``: 1 to 7, Meta's default 1. No addresses in the titles."""

    template_type: Literal["customer_feedback"]
    title: Annotated[StrictStr, Field(min_length=1, max_length=65), STORABLE, PLAIN_WORDS]
    subtitle: Annotated[Text80, PLAIN_WORDS] | None = None
    button_title: Annotated[Text20, PLAIN_WORDS] | None = None
    feedback_screens: Annotated[list[Screen], Field(min_length=1, max_length=1)]
    business_privacy: BusinessPrivacy
    expires_in_days: Annotated[StrictInt, Field(ge=1, le=7)] | None = None
