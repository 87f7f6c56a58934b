"""Malformed requests to the edge of a sandbox and to its control interface."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.integration.fuzz import odd_bytes
from tests.integration.fuzz.spoil import spoilt_text
from tests.integration.parity.jobs import whole_jobs
from tests.integration.sandbox.client import TOKEN

Draw = random.Random
MESSAGES = "/v25.0/me/messages"
_PLACES = (MESSAGES, "/1001/messages", "/me/message_attachments")


@dataclass(frozen=True)
class Sent:
    """What is written to a connection.

    Attributes:
        kind: for the count.
        whole: it can be nothing but one whole request, so that an answer must come.
        may_pass: the spoiling may have left a request that Graph would take.
    """

    kind: str
    data: bytes
    whole: bool = True
    may_pass: bool = False


def request(
    body: bytes, *, method: str = "POST", path: str = MESSAGES, kind: str = "application/json", extra: bytes = b""
) -> bytes:
    """A whole request that asks for the connection to be closed."""
    head = f"{method} {path} HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\nContent-Type: {kind}\r\n"
    length = b"Content-Length: %d\r\nAuthorization: Bearer %s\r\n" % (len(body), TOKEN.encode())
    return head.encode("latin-1") + length + extra + b"\r\n" + body


def _good(draw: Draw) -> str:
    return json.dumps(draw.choice(whole_jobs("messenger")))


def _spoilt_json(draw: Draw) -> Sent:
    text = spoilt_text(draw, _good(draw))
    return Sent("spoilt JSON", request(text.encode("utf-8", "replace"), path=draw.choice(_PLACES)), may_pass=True)


def _body(draw: Draw) -> Sent:
    good = _good(draw)
    other = (good.encode("utf-16"), good.encode("utf-32"), gzip.compress(good.encode()), draw.randbytes(2000))
    body = draw.choice((*odd_bytes.BODIES, *other))
    return Sent("odd bodies", request(body, kind=draw.choice(odd_bytes.CONTENT_TYPES), path=draw.choice(_PLACES)))


def _form(draw: Draw) -> Sent:
    body = draw.choice(odd_bytes.FORMS)
    if draw.random() < 0.3:
        return Sent("forms", request(b"", path=f"{MESSAGES}?{body[:30_000].decode('latin-1')}"))
    return Sent("forms", request(body, kind="application/x-www-form-urlencoded"))


def _multipart(draw: Draw) -> Sent:
    body, kind = draw.choice(odd_bytes.MULTIPARTS), draw.choice(odd_bytes.BOUNDARIES)
    return Sent("multipart", request(body, kind=kind, path=draw.choice(_PLACES)))


def _head(draw: Draw) -> Sent:
    good = request(_good(draw).encode())
    other = (good[: draw.randrange(1, 200)], good.replace(b"\r\n", b"\r", 3), draw.randbytes(draw.randrange(1, 500)))
    return Sent("heads", draw.choice((*odd_bytes.REQUESTS, *other)), whole=False)


def _chunked(draw: Draw) -> Sent:
    head = request(b"").replace(b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n")
    return Sent("chunked", head + draw.choice(odd_bytes.CHUNKS), whole=False)


def _path(draw: Draw) -> Sent:
    data = request(b"{}", path=draw.choice(odd_bytes.PATHS), method=draw.choice(odd_bytes.METHODS))
    return Sent("paths and methods", data)


def _header(draw: Draw) -> Sent:
    return Sent("odd headers", request(b'{"recipient":{}}', extra=draw.choice(odd_bytes.HEADERS)), whole=False)


def _control(draw: Draw) -> Sent:
    method, _, path = draw.choice(odd_bytes.CONTROLS).partition(" ")
    query = draw.choice(odd_bytes.QUERIES) if method == "GET" else ""
    body = draw.choice(odd_bytes.TOLD)
    return Sent("control interface", request(body, method=method, path=f"/sandbox/{path}{query}"))


_KINDS: tuple[Callable[[Draw], Sent], ...] = (
    *(_spoilt_json,) * 3, _body, _form, _multipart, _head, _chunked, _path, _header, _control
)  # fmt: skip  # spoilt JSON has more ways of being wrong than the others together


def malformed(draw: Draw) -> Sent:
    """One thing to send."""
    return draw.choice(_KINDS)(draw)
