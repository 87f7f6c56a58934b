"""Malformed requests to a sandbox process: a clear error for each whole one, no crash, and nothing delivered."""

from __future__ import annotations

import json
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.fuzz.chance import EXAMPLES, PATIENCE, Chance
from tests.integration.fuzz.wire import Sent, malformed
from tests.integration.sandbox.client import Client, sandbox_process

pytestmark = pytest.mark.timeout(PATIENCE)
_ANSWER = 20.0  # seconds for an answer
_NO_HTTP = "WARNING uvicorn.error: Invalid HTTP request received."
_CONTROL_HINTS = ("problem", "error", "Method Not Allowed", "Not Found")


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Client]:
    """A sandbox that writes no traceback, and of requests that are none one line each."""
    with sandbox_process(tmp_path) as (child, client):
        yield client
        child.stop()
        ready, *lines = child.log.read_text().splitlines()
        assert ready == f"sandbox ready on http://127.0.0.1:{client.port}"
        assert [line for line in lines if not line.endswith(_NO_HTTP)] == []


def exchange(client: Client, sent: Sent) -> bytes:
    """Everything that is answered. Who sent less than a whole request hangs up, and may get no answer."""
    with socket.create_connection(("127.0.0.1", client.port), timeout=_ANSWER) as connection:
        try:
            connection.sendall(sent.data)
            if not sent.whole:
                connection.shutdown(socket.SHUT_WR)
            parts = []
            while part := connection.recv(65536):
                parts.append(part)
        except (BrokenPipeError, ConnectionResetError):  # answered, and closed, before all was read
            return b""
        return b"".join(parts)


def check(sent: Sent, answered: bytes) -> str:
    """What came of it, for the count: refused with words, or dropped without any."""
    if not answered:
        assert not sent.whole, "a whole request got no answer"
        return "hung up"
    head, _, body = answered.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    if status == 200 and sent.may_pass:
        return "passed"
    assert 400 <= status < 500, answered[:500]
    if sent.data.startswith(b"HEAD ") or body == b"Invalid HTTP request received.":
        return "refused"
    if sent.kind == "control interface":
        assert any(hint.encode() in body for hint in _CONTROL_HINTS), body
        return "refused"
    error = json.loads(body)["error"]
    assert isinstance(error["code"], int)
    assert 0 < len(error["message"]) < 1000
    return "refused"


def test_a_malformed_request_is_refused_and_leaves_nothing(sandbox: Client) -> None:
    chance = Chance("sandbox")
    count: Counter[tuple[str, str]] = Counter()
    for _ in range(EXAMPLES):
        sent = malformed(chance.next())
        try:
            count[sent.kind, check(sent, exchange(sandbox, sent))] += 1
        except Exception as error:
            error.add_note(f"{chance}: {sent.data[:500]!r}")
            raise
        if chance.number % 1000 == 0:
            _nothing_is_left(sandbox, sum(found for (_, how), found in count.items() if how == "passed"))
            count["checked", "clean"] += 1
    assert sandbox.call().status == 200  # it still serves
    print("", *(f"{kind}: {found} {how}" for (kind, how), found in sorted(count.items())), sep="\n")


def _nothing_is_left(sandbox: Client, passed: int) -> None:
    """The ledger has delivered what was answered as sent, and nothing else; then it is emptied."""
    summary = sandbox.control("GET", "summary")
    assert summary["delivered"] <= passed, summary
    assert sandbox.control("GET", "rules")["rules"] == []
    sandbox.control("POST", "reset")
