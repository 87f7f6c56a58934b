"""A client of a sandbox process: plain HTTP, raw sockets where an answer may not come, and the control interface."""

from __future__ import annotations

import http.client
import json
import re
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from demo.child import Child

ROOT = Path(__file__).parents[3]
PAGE, TOKEN = "1001", "EAAsecretTokenOfPage1001"
INSTAGRAM, INSTAGRAM_TOKEN = "2002", "EAAsecretTokenOfPage2002"
WAIT = 20.0  # seconds until a test gives up on the sandbox
_READY = re.compile(r"^sandbox ready on http://127\.0\.0\.1:(\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Response:
    """An answer, with its body read as JSON where it is."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> tuple[int, int | None]:
        found = self.json["error"]
        return found["code"], found.get("error_subcode")


class Client:
    """Everything a test asks of one sandbox."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(
        self, method: str, path: str, body: bytes | str | None = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return Response(answer.status, {n.lower(): v for n, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def call(self, *, token: str = TOKEN, path: str = "/v25.0/me/messages", **parameters: object) -> Response:
        """One call of the Send API, as JSON."""
        return self.ask("POST", path, json.dumps(parameters or MESSAGE), json_headers(token))

    def control(self, method: str, path: str, value: object = None, **query: object) -> Any:
        """Tell the control interface something that it must take."""
        target = f"/sandbox/{path}?{urlencode(query)}" if query else f"/sandbox/{path}"
        answer = self.ask(method, target, None if value is None else json.dumps(value))
        assert answer.status < 300, answer.body
        return answer.json

    def order(self, **parts: object) -> int:
        """Put a rule into force."""
        number: int = self.control("POST", "rules", parts)["number"]
        return number

    def entries(self, at_least: int = 0, **query: object) -> list[dict[str, Any]]:
        """Entries of the ledger, once so many are there."""
        found: list[dict[str, Any]] = self.control("GET", "ledger", at_least=at_least, wait=WAIT, **query)["entries"]
        assert len(found) >= at_least, found
        return found

    def entry(self, **query: object) -> dict[str, Any]:
        """The one entry that fits."""
        found = self.entries(1, **query)
        assert len(found) == 1, found
        return found[0]

    @contextmanager
    def opened(self, sent: bytes) -> Iterator[socket.socket]:
        """A connection that these bytes were written to."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=WAIT) as connection:
            connection.sendall(sent)
            yield connection


MESSAGE: dict[str, object] = {
    "recipient": {"id": "7001"},
    "messaging_type": "RESPONSE",
    "message": {"text": "hello", "metadata": "m"},
}


def json_headers(token: str = TOKEN) -> dict[str, str]:
    return {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}


def raw_call(parameters: Mapping[str, object] | None = None, *, token: str = TOKEN) -> bytes:
    """The bytes of one call."""
    body = json.dumps(parameters or MESSAGE).encode()
    head = ["POST /v25.0/me/messages HTTP/1.1", "Host: sandbox", f"Content-Length: {len(body)}"]
    head += [f"{name}: {value}" for name, value in json_headers(token).items()]
    return "\r\n".join([*head, "", ""]).encode() + body


def until_end(connection: socket.socket) -> bytes:
    """Everything up to the end of the connection; a reset raises ConnectionResetError."""
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


@contextmanager
def sandbox_process(folder: Path, *arguments: str) -> Iterator[tuple[Child, Client]]:
    """A sandbox with both pages, on a free port."""
    pages = ["--page", f"{PAGE}={TOKEN}", "--instagram", f"{INSTAGRAM}={INSTAGRAM_TOKEN}"]
    command = [sys.executable, "-m", "sandbox", "--port", "0", *pages, *arguments]
    child = Child("sandbox", command, log=folder / "sandbox.log", cwd=ROOT)
    child.start()
    try:
        child.wait_ready(lambda: _READY.search(child.last_lines()) is not None, WAIT)
        ready = _READY.search(child.last_lines())
        assert ready is not None
        yield child, Client(int(ready[1]))
    finally:
        if child.running:
            child.kill()
