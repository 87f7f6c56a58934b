"""Threads and messages as Graph shows them (SEND_API 8): the fields of each, and what they hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from sandbox.call import attachments_of
from sandbox.threads import Message, Thread

USUAL_MESSAGE = "id,created_time"
_MEDIA = {"image": "image/jpeg", "video": "video/mp4", "audio": "audio/mpeg", "file": "application/octet-stream"}
# Meta shows media at an address of its own, not at the one it was fetched from. The shape of this is a choice.
_CDN = "https://cdn.example.com"


def created_time(at: float) -> str:
    """Unix seconds as Graph writes them: whole seconds of UTC."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def party(identifier: str) -> dict[str, object]:
    """A page or a person."""
    return {"id": identifier}


def media_address(message_id: str) -> str:
    """Where Meta keeps the media of a message."""
    return f"{_CDN}/{message_id}"


def _from(thread: Thread, message: Message) -> object:
    return party(thread.page if message.from_page else thread.person)


def _to(thread: Thread, message: Message) -> object:
    return {"data": [party(thread.person if message.from_page else thread.page)]}


def _text(thread: Thread, message: Message) -> object:  # noqa: ARG001  # every field has the same shape
    text = message.content.get("text")
    return text if isinstance(text, str) else ""


def _attachments(thread: Thread, message: Message) -> object:  # noqa: ARG001  # every field has the same shape
    kinds = [str(attachment.get("type")) for attachment in attachments_of(message.content)]
    rows = [
        {
            "id": f"{message.id}:{number}",
            "mime_type": _MEDIA[kind],
            "image_data" if kind == "image" else "file_url": _media(message, kind),
        }
        for number, kind in enumerate(kinds)
        if kind in _MEDIA
    ]
    return {"data": rows} if rows else None


def _media(message: Message, kind: str) -> object:
    return {"url": media_address(message.id)} if kind == "image" else media_address(message.id)


def _reply_to(thread: Thread, message: Message) -> object:  # noqa: ARG001  # every field has the same shape
    return None if message.reply_to is None else {"mid": message.reply_to}


MESSAGE_FIELDS: Mapping[str, Callable[[Thread, Message], object]] = {
    "id": lambda _, message: message.id,
    "created_time": lambda _, message: created_time(message.created_at),
    "from": _from,
    "to": _to,
    "message": _text,
    "attachments": _attachments,
    "reply_to": _reply_to,
}
# What is still to be had of a message that is too old for details.
OLD_MESSAGE_FIELDS = ("id", "created_time")


def show_message(thread: Thread, message: Message, names: tuple[str, ...]) -> dict[str, object]:
    """A message with these of its fields that it has."""
    shown = {name: MESSAGE_FIELDS[name](thread, message) for name in names}
    return {name: value for name, value in shown.items() if value is not None}
