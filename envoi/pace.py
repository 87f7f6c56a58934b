"""What a job counts as, in the limits of its page (SEND_API 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MEDIA = frozenset({"audio", "file", "image", "video"})
_COURTESIES = 2  # typing_on and typing_off


def is_media(message: Mapping[str, Any]) -> bool:
    """Whether a message counts as media: it carries audio, video, images or a file. Templates count as text."""
    attachment = message.get("attachment")
    return "attachments" in message if attachment is None else attachment["type"] in _MEDIA


def is_private_reply(recipient: Mapping[str, Any]) -> bool:
    """Whether a message to this recipient answers a comment or post."""
    return "comment_id" in recipient or "post_id" in recipient


def classes_of(job: Mapping[str, Any]) -> str:
    """The classes of a job's message beside the page's own pace, by their letters (envoi/queue/lua/pace.lua).

    Args:
        job: its payload.
    """
    media = "m" if is_media(job.get("message", {})) else ""  # an action has no message
    return media + "p" if is_private_reply(job["recipient"]) else media


def pace_options(job: Mapping[str, Any]) -> list[str]:
    """What scripts must know (envoi/queue/lua/job.lua): nothing of a text to a person, with typing.

    Args:
        job: its payload, of a message.
    """
    found = ["m=1"] if is_media(job["message"]) else []
    by_id = "id" in job["recipient"]
    calls = 1 + by_id * (_COURTESIES * (job.get("typing", True) is not False) + bool(job.get("mark_seen", False)))
    if calls != (1 + _COURTESIES if by_id else 1):
        found.append(f"n={calls}")
    return found
