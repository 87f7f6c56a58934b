"""Answers as bytes: Graph's bodies, its headers (SEND_API 1 and 5), and what is no answer of Graph's at all."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sandbox.errors import GraphError
from sandbox.pages import Page
from sandbox.world import World

OK = 200
BAD_GATEWAY = 502
# SEND_API 1: the newest. A path without a version is answered with it: Graph takes the app's own default there.
NEWEST_VERSION = "v26.0"
_REVISION = b"1030000000"  # `x-fb-rev`: some number
_JSON = b"application/json; charset=UTF-8"
_HTML = b"text/html; charset=utf-8"
_BAD_GATEWAY_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\n"
    b"<body><h1>502 Bad Gateway</h1><p>Sorry, something went wrong.</p></body></html>\n"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is written to the client.

    Attributes:
        status: HTTP status.
        headers: names in lower case.
        body: whole.
        fbtrace_id: in body or headers; None where it is not Graph that answers.
        error: the Graph error in the body, if any.
    """

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    fbtrace_id: str | None = None
    error: GraphError | None = None


@dataclass(frozen=True, slots=True)
class Answering:
    """What the answers to one request have in common.

    Attributes:
        world: whose usage figures and statuses hold.
        version: Graph version asked for.
        page: whose usage the headers tell; None where the token was refused.
    """

    world: World
    version: str | None
    page: Page | None = None

    def accepted(self, body: Mapping[str, object] | Sequence[object]) -> Answer:
        """The step took effect, or so it says."""
        trace = _trace()
        return self._graph(OK, json.dumps(body).encode(), trace)

    def refused(self, error: GraphError) -> Answer:
        """A Graph error."""
        trace = _trace()
        body = json.dumps(error.body(trace)).encode()
        answer = self._graph(error.status(self.world.switches.statuses), body, trace, error)
        answer.headers.append((b"www-authenticate", _challenge(error)))
        return answer

    def garbage(self) -> Answer:
        """200, and a body that breaks off: not JSON."""
        trace = _trace()
        return self._graph(OK, b'{"recipient_id":"', trace)

    def bad_gateway(self) -> Answer:
        """A page for people from something in front of Graph, with none of Graph's headers."""
        return Answer(BAD_GATEWAY, _entity(_HTML, _BAD_GATEWAY_PAGE), _BAD_GATEWAY_PAGE)

    def _graph(self, status: int, body: bytes, trace: str, error: GraphError | None = None) -> Answer:
        headers = [
            *_entity(_JSON, body),
            (b"facebook-api-version", (self.version or NEWEST_VERSION).encode()),
            (b"x-fb-trace-id", trace.encode()),
            (b"x-fb-rev", _REVISION),
            (b"x-fb-debug", secrets.token_urlsafe(32).encode()),
            (b"cache-control", b"private, no-cache, no-store, must-revalidate"),
            *self.world.usage_headers(self.page),
        ]
        return Answer(status, headers, body, trace, error)


def _trace() -> str:
    return f"A{secrets.token_urlsafe(16)}"


def _entity(content_type: bytes, body: bytes) -> list[tuple[bytes, bytes]]:
    return [(b"content-type", content_type), (b"content-length", b"%d" % len(body))]


def _challenge(error: GraphError) -> bytes:
    """``WWW-Authenticate`` (SEND_API 1), in ASCII and on one line whatever the message holds."""
    reason = {1: "unknown_error", 2: "unknown_error", 190: "invalid_token"}.get(error.code, "invalid_request")
    return f'OAuth "Facebook Platform" "{reason}" {json.dumps(error.message)}'.encode()
