"""The bodies of webhooks (SEND_API 7): one event in its envelope, in the bytes that are signed and sent."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping

from sandbox.call import attachments_of
from sandbox.pages import Page, Platform
from sandbox.shown import media_address
from sandbox.threads import Message

Event = dict[str, object]
_MEDIA_TYPES = ("audio", "file", "image", "video")


def milliseconds(at: float) -> int:
    """Unix seconds as webhooks write them."""
    return int(at * 1000)


def echo(page: Page, person: str, message: Message) -> Event:
    """``message_echoes``: from the page to the person."""
    content: Event = {"is_echo": True}
    if message.app_id is not None:
        content["app_id"] = message.app_id
    metadata = message.content.get("metadata")
    if isinstance(metadata, str):
        content["metadata"] = metadata
    return _between(page.id, person, message.created_at, {"message": content | _content(message)})


def inbound(page: Page, person: str, message: Message) -> Event:
    """``messages``: from the person to the page."""
    return _between(person, page.id, message.created_at, {"message": _content(message)})


def delivery(page: Page, person: str, message_id: str | None, at: float) -> Event:
    """``message_deliveries``: the watermark always, the ids of the messages sometimes."""
    named: Event = {} if message_id is None else {"mids": [message_id]}
    return _between(person, page.id, at, {"delivery": named | {"watermark": milliseconds(at)}})


def read(page: Page, person: str, message_id: str | None, at: float) -> Event:
    """``message_reads``; on Instagram ``messaging_seen``, which names one message."""
    if page.platform is Platform.INSTAGRAM and message_id is not None:
        return _between(person, page.id, at, {"read": {"mid": message_id}})
    return _between(person, page.id, at, {"read": {"watermark": milliseconds(at)}})


def from_person(page: Page, person: str | None, at: float, content: Mapping[str, object]) -> Event:
    """What a person did, other than writing. A postback's time is text in seconds, as in Meta's sample."""
    event: Event = {} if person is None else {"sender": {"id": person}}
    time: object = str(int(at)) if "postback" in content else milliseconds(at)
    return event | {"recipient": {"id": page.id}, "timestamp": time} | dict(content)


def envelope(page: Page, event: Event, now: float, *, standby: bool = False) -> bytes:
    """The bytes of a webhook with one event. Meta sends ASCII with escapes, and signs just that (SEND_API 6)."""
    entry = {"id": page.id, "time": milliseconds(now), "standby" if standby else "messaging": [event]}
    kind = "instagram" if page.platform is Platform.INSTAGRAM else "page"
    return json.dumps({"object": kind, "entry": [entry]}, separators=(",", ":")).encode("ascii")


def signature(app_secret: str, body: bytes) -> str:
    """``X-Hub-Signature-256`` of a body (SEND_API 6)."""
    return f"sha256={hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()}"


def _between(sender: str, recipient: str, at: float, content: Event) -> Event:
    return {"sender": {"id": sender}, "recipient": {"id": recipient}, "timestamp": milliseconds(at)} | content


def _content(message: Message) -> Event:
    content: Event = {"mid": message.id}
    text = message.content.get("text")
    if isinstance(text, str):
        content["text"] = text
    if not message.from_page and isinstance(message.content.get("quick_reply"), dict):
        content["quick_reply"] = message.content["quick_reply"]
    attachments = [_attachment(message, one) for one in attachments_of(message.content)]
    if attachments:
        content["attachments"] = attachments
    if message.reply_to is not None:
        content["reply_to"] = {"mid": message.reply_to}
    return content


def _attachment(message: Message, attachment: Mapping[str, object]) -> Event:
    if attachment.get("type") in _MEDIA_TYPES:
        return {"type": attachment["type"], "payload": {"url": media_address(message.id)}}
    return {"type": attachment.get("type"), "payload": attachment.get("payload")}
