"""The message that a call leaves behind: its id, its content, and whom it is for."""

from __future__ import annotations

import secrets

from sandbox.call import Call
from sandbox.threads import Message

# The app whose tokens the sandbox knows, by Meta's number for it.
APP_ID = 1517776481860111
_MESSAGE_ID_BYTES = 66  # 88 characters: SEND_API 1 has seen `m_` and about 90


def new_message_id() -> str:
    """An id of Meta's shape for a message."""
    return f"m_{secrets.token_urlsafe(_MESSAGE_ID_BYTES)}"


def sent_message(message_id: str, now: float, call: Call) -> Message:
    """The message of a call that takes effect now."""
    reply_to = call.parameters.get("reply_to")
    mid = reply_to.get("mid") if isinstance(reply_to, dict) else None
    content = call.message or {"template": call.parameters.get("template")}
    return Message(message_id, now, True, content, APP_ID, mid if isinstance(mid, str) else None)


def hidden_key(call: Call) -> str:
    """What a person is known by to whom no thread leads."""
    return f"{call.recipient_kind}:{call.recipient_key}"
