"""An app that takes webhooks, as a test wants it to."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

WAIT = 20.0


@dataclass(frozen=True)
class Received:
    """One webhook as it came in."""

    body: bytes
    signature: str

    @property
    def entry(self) -> dict[str, Any]:
        """Its one entry."""
        (entry,) = json.loads(self.body)["entry"]
        return dict(entry)

    @property
    def event(self) -> dict[str, Any]:
        """Its one event."""
        (event,) = self.entry["messaging"]
        return dict(event)

    def signed_with(self, app_secret: str) -> bool:
        right = hmac.new(app_secret.encode(), self.body, hashlib.sha256).hexdigest()
        return self.signature == f"sha256={right}"


@dataclass
class Receiver:
    """What came in, and what is answered."""

    statuses: list[int] = field(default_factory=list)  # for the next requests, in turn; then 200
    received: list[Received] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    answering: threading.Event = field(default_factory=threading.Event)  # cleared: no answers meanwhile
    verify_token: str = "right"
    url: str = ""

    def take(self, body: bytes, signature: str) -> int:
        with self.changed:
            self.received.append(Received(body, signature))
            status = self.statuses.pop(0) if self.statuses else 200
            self.changed.notify_all()
        assert self.answering.wait(WAIT)
        return status

    def wait_for(self, number: int) -> list[Received]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.received) >= number, WAIT), self.received
            return list(self.received)


@contextmanager
def receiver() -> Iterator[Receiver]:
    """An app that listens on a port of its own."""
    state = Receiver()
    state.answering.set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(state.take(body, self.headers["X-Hub-Signature-256"]), b"EVENT_RECEIVED")

        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)
            right = asked["hub.verify_token"] == [state.verify_token] and asked["hub.mode"] == ["subscribe"]
            self._answer(200 if right else 403, asked["hub.challenge"][0].encode() if right else b"no")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(BrokenPipeError, ConnectionResetError):  # a sender that waits no longer
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield state
    finally:
        state.answering.set()
        server.shutdown()
        server.server_close()
        thread.join()
