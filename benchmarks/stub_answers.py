"""What the Graph stub answers, and what it writes down of the calls that it accepts."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Ledger:
    """What was accepted, in that order.

    Attributes:
        entries: Unix seconds, page, recipient, step and, of a message, its text.
        messages: how many of them are messages.
        refused: calls that were no good, by reason.
    """

    entries: list[tuple[float, str, str, str, str | None]] = field(default_factory=list)
    messages: int = 0
    refused: dict[str, int] = field(default_factory=dict)

    def accept(self, page: str, recipient: str, step: str, text: str | None) -> dict[str, str]:
        """Write a call down, and give the body of its answer."""
        self.entries.append((time.time(), page, recipient, step, text))
        if text is None:
            return {"recipient_id": recipient}
        self.messages += 1
        return {"recipient_id": recipient, "message_id": f"m_{len(self.entries)}"}

    def refuse(self, reason: str) -> dict[str, Any]:
        """Count a call that was no good, and give a Graph error (SEND_API 4: code 100, invalid parameter)."""
        self.refused[reason] = self.refused.get(reason, 0) + 1
        return {"error": {"message": reason, "type": "OAuthException", "code": 100}}


def answer(ledger: Ledger, head: bytes, body: bytes) -> bytes:
    """What a request does, and the whole of its answer."""
    status, found = _judge(ledger, head, body)
    content = json.dumps(found, separators=(",", ":")).encode()
    return b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        status,
        len(content),
        content,
    )


def _judge(ledger: Ledger, head: bytes, body: bytes) -> tuple[bytes, object]:
    method, target, _ = head.split(b"\r\n", 1)[0].split(b" ", 2)
    path = target.partition(b"?")[0].decode()
    if method == b"GET" and path == "/count":
        return b"200 OK", {"messages": ledger.messages}
    if method == b"GET" and path == "/ledger":
        return b"200 OK", {"entries": ledger.entries, "refused": ledger.refused}
    if method != b"POST" or not path.endswith("/messages"):
        return b"404 Not Found", ledger.refuse(f"no such edge: {path}")
    if b"access_token=" not in target and b"authorization: bearer " not in head.lower():
        return b"400 Bad Request", ledger.refuse("no token")
    return _call(ledger, path.split("/")[-2], body)


def _call(ledger: Ledger, page: str, body: bytes) -> tuple[bytes, object]:
    try:
        call = json.loads(body)
        recipient, text, step = call["recipient"]["id"], None, call.get("sender_action")
        if "message" in call:
            text, step = call["message"]["text"], "message"
    except (ValueError, KeyError, TypeError, AttributeError):
        return b"400 Bad Request", ledger.refuse("not a call")
    if step not in {"typing_on", "message", "typing_off"}:
        return b"400 Bad Request", ledger.refuse(f"no such step: {step}")
    return b"200 OK", ledger.accept(page, recipient, step, text)
