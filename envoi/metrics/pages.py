"""The pages themselves: ``/metrics``, ``/healthz`` and ``/readyz``."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET, AF_INET6, SHUT_RDWR, socket
from socketserver import TCPServer
from typing import Any
from urllib.parse import urlsplit

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from envoi.metrics.health import Health, Patient

_AT_ONCE = 8  # requests; more are turned away, so that nobody can take all threads of a process
_PATIENCE = 5.0  # seconds that a part of a request may take to come, or of its answer to be taken
_LONGEST = 15.0  # seconds that all of it may take: nobody keeps a thread by sending a byte now and then
_JSON = "application/json"

log = structlog.get_logger()


class Listener(ThreadingHTTPServer):
    """A server of few requests at once, each in a thread that the process's end does not wait for."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._room = threading.BoundedSemaphore(_AT_ONCE)
        self.address_family = AF_INET6 if ":" in address[0] else AF_INET
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """Take the port. The base asks DNS for a name too, which may take long, and is used for nothing."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]  # of every family

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  # the base's own
        """Answer in a thread, if there is one left."""
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  # the base's own
        """In that thread."""
        cut = threading.Timer(_LONGEST, _cut, [request])
        cut.daemon = True
        cut.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            cut.cancel()
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401, ARG002  # the base's own
        """Who asked may have gone; anything else is a fault of ours."""
        if not isinstance(sys.exception(), OSError):
            log.exception("a page could not be made", action="metrics")  # noqa: LOG004  # the base calls this in one


def _cut(request: socket) -> None:
    with contextlib.suppress(OSError):  # it has ended meanwhile
        request.shutdown(SHUT_RDWR)


def handler_of(registry: CollectorRegistry, patient: Patient) -> type[BaseHTTPRequestHandler]:
    """What answers requests about one process."""

    class Handler(BaseHTTPRequestHandler):
        timeout = _PATIENCE
        server_version = "envoi"
        sys_version = ""

        def do_GET(self) -> None:
            match urlsplit(self.path).path:
                case "/metrics":
                    encode, kind = choose_encoder(self.headers.get("Accept", ""))
                    self._answer(HTTPStatus.OK, kind, encode(registry))
                case "/healthz":
                    self._say(patient.healthy())
                case "/readyz":
                    self._say(patient.ready())
                case _:
                    self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"/metrics, /healthz, /readyz\n")

        def do_HEAD(self) -> None:
            self.do_GET()

        def _say(self, health: Health) -> None:
            status = HTTPStatus.OK if health.good else HTTPStatus.SERVICE_UNAVAILABLE
            self._answer(status, _JSON, json.dumps({"ok": health.good, "wrong": health.wrong}).encode() + b"\n")

        def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401  # the base's own
            """A probe a few seconds is no line of the log."""

    return Handler
