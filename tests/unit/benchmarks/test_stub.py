"""The stub takes requests however they arrive, and writes down what it accepted."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from benchmarks.stub import Connection
from benchmarks.stub_answers import Ledger, answer

HEAD = b"POST /v25.0/7/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\nContent-Length: %d"


def request(body: bytes, head: bytes = HEAD) -> bytes:
    return head % len(body) + b"\r\n\r\n" + body


@pytest.fixture
def connection() -> Iterator[Connection]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Connection(ours)


def test_requests_are_taken_whole_whether_they_come_in_bytes_or_together(connection: Connection) -> None:
    stream = request(b"one") + request(b"") + request(b"three")
    in_bytes = [found for number in range(len(stream)) for found in connection.requests(stream[number : number + 1])]
    assert [body for _, body in in_bytes] == [b"one", b"", b"three"]
    assert list(connection.requests(stream)) == in_bytes


def test_a_chunked_body_is_refused_loudly(connection: Connection) -> None:
    with pytest.raises(ValueError, match="chunked"):
        list(connection.requests(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"))


def test_an_accepted_message_is_in_the_ledger_and_its_answer_has_an_id() -> None:
    ledger = Ledger()
    body = {"recipient": {"id": "p1"}, "message": {"text": "hello"}, "messaging_type": "RESPONSE"}
    head, _, content = answer(ledger, HEAD, json.dumps(body).encode()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert f"Content-Length: {len(content)}".encode() in head
    assert json.loads(content) == {"recipient_id": "p1", "message_id": "m_1"}
    assert [entry[1:] for entry in ledger.entries] == [("7", "p1", "message", "hello")]
    assert ledger.messages == 1


def test_a_sender_action_is_in_the_ledger_and_has_no_id() -> None:
    ledger = Ledger()
    content = answer(ledger, HEAD, b'{"recipient":{"id":"p1"},"sender_action":"typing_on"}').partition(b"\r\n\r\n")[2]
    assert json.loads(content) == {"recipient_id": "p1"}
    assert [entry[1:] for entry in ledger.entries] == [("7", "p1", "typing_on", None)]
    assert ledger.messages == 0


@pytest.mark.parametrize(
    ("head", "body", "reason"),
    [
        (HEAD, b"{", "not a call"),
        (HEAD, b"[]", "not a call"),
        (HEAD, b'{"recipient":{},"sender_action":"typing_on"}', "not a call"),
        (HEAD, b'{"recipient":{"id":"p"}}', "no such step: None"),
        (b"POST /v25.0/7/messages HTTP/1.1", b"{}", "no token"),
        (b"POST /v25.0/7/photos HTTP/1.1", b"{}", "no such edge: /v25.0/7/photos"),
    ],
)
def test_what_is_no_good_call_is_refused_and_counted(head: bytes, body: bytes, reason: str) -> None:
    ledger = Ledger()
    assert answer(ledger, head, body).startswith(b"HTTP/1.1 40")
    assert (ledger.entries, ledger.refused) == ([], {reason: 1})
