"""What a job says, shown to operators: its kind always, its words only to those who ask."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_NOT_KEPT = "not kept any more"


def kind_of(payload: Mapping[str, Any] | None) -> str:
    """What kind of message it is, without a word of it.

    Args:
        payload: of a job, as enqueued; None: the log has it no more.
    """
    if payload is None:
        return _NOT_KEPT
    if "sender_action" in payload:
        return f"action {payload['sender_action']}"
    message = payload.get("message")
    if not isinstance(message, dict):
        return "discarded"
    found = [_attachment(message)] if "attachment" in message or "attachments" in message else []
    if isinstance(message.get("text"), str):
        found.append(f"text of {len(message['text'])} characters")
    if isinstance(message.get("quick_replies"), list):
        found.append(f"{len(message['quick_replies'])} quick replies")
    return ", ".join(found) or "message"


def words_of(payload: Mapping[str, Any] | None) -> str | None:
    """What was written: the text, or else the Send API's own object; None: there is nothing to show."""
    message = None if payload is None else payload.get("message")
    if not isinstance(message, dict):
        return None
    if set(message) <= {"text", "metadata"} and isinstance(message.get("text"), str):
        text: str = message["text"]
        return text
    return json.dumps(message, ensure_ascii=False, indent=2)


def _attachment(message: Mapping[str, Any]) -> str:
    attachment = message.get("attachment")
    if not isinstance(attachment, dict):
        return "images"
    kind = str(attachment.get("type"))
    payload = attachment.get("payload")
    if kind == "template" and isinstance(payload, dict):
        return f"template {payload.get('template_type', '')}".strip()
    return kind
