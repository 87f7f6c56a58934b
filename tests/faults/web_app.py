"""A web app that takes webhooks and hands them to Envoi, as any would."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from envoi import Envoi
from envoi.errors import EnvoiError


class WebApp:
    """Listens on a free port of 127.0.0.1.

    Attributes:
        url: where webhooks go.
        taken: how many were taken.
    """

    def __init__(self, client: Envoi) -> None:
        self.taken = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, client))
        self._thread = threading.Thread(target=self._server.serve_forever, name="web-app", daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/webhook"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(app: WebApp, client: Envoi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                client.webhook(body, self.headers["X-Hub-Signature-256"])
            except EnvoiError:
                self.send_response(503)  # Meta sends it again
            else:
                app.taken += 1
                self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name it has there
            """Say nothing."""

    return Handler
