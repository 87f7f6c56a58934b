"""Webhooks that somebody or something has spoilt: as objects, as text, as bytes, or in their signature."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from envoi.metadata import join_metadata
from envoi.webhook import LARGEST
from tests.integration.fuzz import odd_bytes
from tests.integration.fuzz.spoil import spoilt_text

SECRET = "sesame"
PAGE = "1001"
WRITTEN = "pl4nted s3cret"  # what people write; the blank keeps it from being taken for an id
NOW = 1_795_000_000_000
NOBODYS = "01JZZZZZZZZZZZZZZZZZZZZZZZ"  # a job's id, of no job
_PERSON, _PAGE = {"id": "7001"}, {"id": PAGE}


@dataclass(frozen=True)
class Hook:
    """What is given to ``webhook``.

    Attributes:
        kind: for the count.
        genuine: the signature is right, so that only the body can be refused.
        may_pass: the spoiling may have left something that Meta could send.
    """

    kind: str
    body: Any
    signature: Any
    genuine: bool = True
    may_pass: bool = False


def signed(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _event(**told: Any) -> dict[str, Any]:
    return {"sender": _PERSON, "recipient": _PAGE, "timestamp": NOW, **told}


def _echo(metadata: str | None) -> dict[str, Any]:
    said = {"mid": "m_9", "is_echo": True, "app_id": 5, "text": WRITTEN, "metadata": metadata}
    return {"sender": _PAGE, "recipient": _PERSON, "timestamp": NOW, "message": said}


_EVENTS = (
    _event(message={"mid": "m_1", "text": WRITTEN, "quick_reply": {"payload": WRITTEN}}),
    _event(message={"mid": "m_2", "attachments": [{"type": "image", "payload": {"url": "https://x.example/a"}}]}),
    _event(postback={"mid": "m_3", "title": WRITTEN, "payload": WRITTEN}),
    _event(reaction={"mid": "m_4", "action": "react", "emoji": "x"}),
    _event(optin={"type": "notification_messages", "payload": WRITTEN}),
    _event(referral={"ref": WRITTEN, "source": "SHORTLINK"}),
    _event(delivery={"mids": ["m_5", "m_6"], "watermark": NOW}),
    _event(read={"watermark": NOW}),
    _event(read={"mid": "m_7"}),
    _event(policy_enforcement={"action": "warning", "reason": WRITTEN}),
    _echo(None), _echo("theirs"), _echo(join_metadata("theirs", NOBODYS)), _echo(join_metadata(None, NOBODYS)),
)  # fmt: skip  # a table
_ODD: tuple[Any, ...] = (
    None, True, -1, 0, 10**400, 2**63, 1.5, float("inf"), float("nan"), 1e308, "", " ", "\x00", "\ud800", "7" * 65,
    "1001/id/7002", "a:b:c", "{e}", "\r\n", "\x1b[31m", "x" * 100_000, [], {}, [[]], [{}], [None] * 5000, {"id": {}},
    {"id": 7}, {"id": -7}, {"id": "7\n"}, {"id": True}, "1970-01-01", "1e12", "-5", "0x10", "\u0661\u0662", "NaN",
)  # fmt: skip  # a table
_SIGNATURES: tuple[Any, ...] = (
    None, "", "sha256=", "sha1=" + "0" * 40, "sha256=" + "0" * 64, "sha256=" + "g" * 64, "sha256=" + "\u0661" * 64,
    "x" * 100_000, b"sha256=" + b"0" * 64, 7, [], "\ud800", "\x00",
)  # fmt: skip  # a table
_NO_BYTES: tuple[Any, ...] = (None, "{}", 7, [], {}, object())


def malformed(draw: random.Random) -> Hook:
    """One thing to give."""
    return draw.choice((_objects, _objects, _objects, _text, _text, _bytes, _signature))(draw)


def whole(draw: random.Random) -> dict[str, Any]:
    """A webhook as Meta sends it, with one to three events."""
    events = json.loads(json.dumps(draw.choices(_EVENTS, k=draw.choice((1, 1, 2, 3)))))
    entry = {"id": PAGE, "time": NOW, draw.choice(("messaging", "messaging", "standby")): events}
    return {"object": draw.choice(("page", "page", "instagram")), "entry": [entry]}


def _objects(draw: random.Random) -> Hook:
    document = whole(draw)
    for _ in range(draw.choice((1, 1, 2, 5))):
        places = list(_places(document))
        if not places:
            break
        place, name = draw.choice(places)
        match draw.choice(("put", "put", "put", "delete", "wrap", "name")):
            case "put":
                place[name] = deepcopy(draw.choice(_ODD))
            case "delete":
                del place[name]
            case "wrap":
                place[name] = [place[name]]
            case "name" if isinstance(place, dict):
                place[draw.choice(("", "message", "is_echo", "delivery", "standby", "\x00", "x" * 1000))] = deepcopy(
                    place[name]
                )
    body = json.dumps(document, ensure_ascii=draw.random() < 0.5).encode("utf-8", "surrogatepass")
    return Hook("objects", body, signed(body), may_pass=True)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (object or list, name or number) of a document."""
    for name in list(value) if isinstance(value, dict) else range(min(len(value), 20)):
        yield value, name
        if isinstance(value[name], dict | list):
            yield from _places(value[name])


def _text(draw: random.Random) -> Hook:
    body = spoilt_text(draw, json.dumps(whole(draw))).encode("utf-8", "surrogatepass")
    return Hook("text", body, signed(body), may_pass=True)


def _bytes(draw: random.Random) -> Hook:
    good = json.dumps(whole(draw))
    other = (good.encode("utf-16"), good.encode("utf-32"), draw.randbytes(2000), good.encode()[: draw.randrange(40)])
    body = draw.choice((*odd_bytes.BODIES, *odd_bytes.TOLD, *other, b" " * (LARGEST + 1)))
    # Other documents than pages' and Instagram's are taken, and tell nothing.
    return Hook("bytes", body, signed(body), may_pass=body.strip().startswith(b"{"))


def _signature(draw: random.Random) -> Hook:
    body = json.dumps(whole(draw)).encode()
    right = signed(body)
    wrong = (
        *_SIGNATURES,
        right[:-1],
        right + "0",
        right.replace("sha256", "SHA256"),
        signed(body, "other"),
        f" {right}",
    )
    if draw.random() < 0.2:
        return Hook("no bytes", draw.choice(_NO_BYTES), right)
    if draw.random() < 0.3:
        return Hook("another body", body.replace(b"7001", b"7002") + b" ", right, genuine=False)
    return Hook("signatures", body, draw.choice(wrong), genuine=False)
