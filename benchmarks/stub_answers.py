"""What the Graph stub answers, and what it writes down of the calls that it accepts."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from benchmarks.stub_requests import Head

_STEPS = frozenset({"typing_on", "message", "typing_off"})
_decode = json.JSONDecoder().raw_decode  # what json.loads calls, once it knows the encoding and where the text begins


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

    def accept(self, page: str, recipient: str, step: str, text: str | None) -> str:
        """Write a call down, and give the body of its answer."""
        name = quoted(recipient) if type(recipient) is str else _json(recipient)
        self.entries.append((time.time(), page, recipient, step, text))
        if text is None:
            return f'{{"recipient_id":{name}}}'
        self.messages += 1
        return f'{{"recipient_id":{name},"message_id":"m_{len(self.entries)}"}}'

    def refuse(self, reason: str) -> str:
        """Count a call that was no good, and give a Graph error (SEND_API 4: code 100, invalid parameter)."""
        self.refused[reason] = self.refused.get(reason, 0) + 1
        return _json({"error": {"message": reason, "type": "OAuthException", "code": 100}})


def answer(ledger: Ledger, head: Head, body: bytes) -> bytes:
    """What a request does, and the whole of its answer."""
    status, content = _call(ledger, head.page, body) if head.page is not None else _other(ledger, head)
    length = len(content)  # in bytes too: what JSON spells out is ASCII
    return f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{content}".encode()


def _call(ledger: Ledger, page: str, body: bytes) -> tuple[str, str]:
    try:
        call = _read(body)
        recipient, text, step = call["recipient"]["id"], None, call.get("sender_action")
        if "message" in call:
            text, step = call["message"]["text"], "message"
        if step in _STEPS:
            return "200 OK", ledger.accept(page, recipient, step, text)
    except (ValueError, KeyError, TypeError, AttributeError):
        return "400 Bad Request", ledger.refuse("not a call")
    return "400 Bad Request", ledger.refuse(f"no such step: {step}")


def _read(body: bytes) -> Any:  # noqa: ANN401  # JSON
    """As json.loads reads it, at half the cost where it is the usual UTF-8 with nothing around it."""
    try:
        text = body.decode()
        found, end = _decode(text)
    except ValueError:
        return json.loads(body)
    return found if end == len(text) else json.loads(body)


def _other(ledger: Ledger, head: Head) -> tuple[str, str]:
    if head.method == b"GET" and head.path == "/count":
        return "200 OK", _json({"messages": ledger.messages})
    if head.method == b"GET" and head.path == "/ledger":
        return "200 OK", _json({"entries": ledger.entries, "refused": ledger.refused})
    if head.method != b"POST" or not head.path.endswith("/messages"):
        return "404 Not Found", ledger.refuse(f"no such edge: {head.path}")
    return "400 Bad Request", ledger.refuse("no token")


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
