"""Checks of the customer feedback template (SEND_API 3, Templates: ``customer_feedback``)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sandbox.errors import invalid
from sandbox.shape import address, choice, fields, rows, text

QUESTION_TYPES = ("csat", "nps", "ces", "free_form")
_URL = re.compile(r"https?://|\bwww\.", re.IGNORECASE)
_QUESTION_ID = re.compile(r"[A-Za-z0-9_]{1,80}", re.ASCII)
_MAX_DAYS = 7


def check_feedback(payload: Mapping[str, object], name: str) -> None:
    """Refuse a form that does not keep to its limits; ``name`` is the payload's in Graph's words.

    Raises:
        Refused: 100; 105 and 194 for screens and questions.
    """
    for field, most in (("title", 65), ("subtitle", 80), ("button_title", 20)):
        text(payload.get(field), f"{name}[{field}]", most, required=field == "title")
        if _URL.search(str(payload.get(field))):
            raise invalid(f"Param {name}[{field}] must not contain a URL")
    for screen in rows(payload.get("feedback_screens"), f"{name}[feedback_screens]", 1, 1):
        where = f"{name}[feedback_screens][0][questions]"
        for question in rows(screen.get("questions"), where, 1, 1):
            _check_question(question, f"{where}[0]")
    privacy = fields(payload.get("business_privacy"), f"{name}[business_privacy]")
    address(privacy.get("url"), f"{name}[business_privacy][url]")
    days = payload.get("expires_in_days", 1)
    if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= _MAX_DAYS:
        raise invalid(f"Param {name}[expires_in_days] must be a number from 1 to {_MAX_DAYS}")


def _check_question(question: Mapping[str, object], name: str) -> None:
    choice(question.get("type"), f"{name}[type]", QUESTION_TYPES)
    identifier = question.get("id")
    if not isinstance(identifier, str) or not _QUESTION_ID.fullmatch(identifier):
        raise invalid(f"Param {name}[id] must be 1 to 80 letters, digits and _")
    text(question.get("title"), f"{name}[title]", 85, required=False, least=5)
    follow_up = question.get("follow_up")
    if follow_up is not None:
        placeholder = fields(follow_up, f"{name}[follow_up]").get("placeholder")
        text(placeholder, f"{name}[follow_up][placeholder]", 400, required=False)
