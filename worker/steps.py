"""Steps: the planned calls of a job, and the body of each (SEND_API 1, 10)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from envoi.json_text import dumped
from envoi.metadata import join_metadata

_PARAMETERS = ("messaging_type", "notification_type", "tag", "persona_id", "reply_to")


class Step(StrEnum):
    """One planned call; the message is required, the others are courtesies. The last two are actions only."""

    MARK_SEEN = "mark_seen"
    TYPING_ON = "typing_on"
    MESSAGE = "message"
    TYPING_OFF = "typing_off"
    REACT = "react"
    UNREACT = "unreact"


_SLOW_TEMPLATES = ("media", "image_grid")


def is_media(job: dict[str, Any]) -> bool:
    """Whether Meta handles media in the job's message call: it may take long, 75 s to fetch a video (SEND_API 0.8)."""
    message: dict[str, Any] = job.get("message", {})  # an action has none
    attachment = message.get("attachment")
    if attachment is None:
        return "attachments" in message
    if attachment["type"] == "template":
        return attachment["payload"].get("template_type") in _SLOW_TEMPLATES
    return bool(attachment["type"] != "like_heart")


def body_of(step: Step, job: dict[str, Any], proof: str | None = None) -> bytes:
    """The JSON body of a step's call.

    A sender action carries the recipient alone, and a reaction what it is about: never together with a message, each a
    request of its own (SEND_API 2). The message carries the job's id in its metadata, by which an echo proves it.
    ``proof`` is the ``appsecret_proof``, a parameter like any other (SEND_API 6).
    """
    body: dict[str, Any] = {"recipient": job["recipient"]}
    if step is Step.MESSAGE:
        metadata = join_metadata(job["message"].get("metadata"), job["id"])
        body["message"] = {**job["message"], "metadata": metadata}
        body |= {name: job[name] for name in _PARAMETERS if name in job}
    else:
        body["sender_action"] = step.value
        if step.value == job.get("sender_action") and "payload" in job:
            body["payload"] = job["payload"]
    if proof:
        body["appsecret_proof"] = proof
    return dumped(body)
