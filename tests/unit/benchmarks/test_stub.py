"""The stub takes requests however they arrive, and writes down what it accepted."""

from __future__ import annotations

import json

import pytest

from benchmarks.stub_answers import Ledger, answer
from benchmarks.stub_requests import Inbox, read_head

HEAD = b"POST /v25.0/7/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\nContent-Length: %d"


def request(body: bytes, head: bytes = HEAD) -> bytes:
    return head % len(body) + b"\r\n\r\n" + body


def test_requests_are_taken_whole_whether_they_come_in_bytes_or_together() -> None:
    stream = request(b"one") + request(b"") + request(b"three")
    inbox = Inbox()
    in_bytes = [found for number in range(len(stream)) for found in inbox.take(stream[number : number + 1])]
    assert [body for _, body in in_bytes] == [b"one", b"", b"three"]
    assert inbox.take(stream) == in_bytes


def test_a_request_that_ends_with_the_next_ones_beginning_is_taken_and_the_rest_kept() -> None:
    stream = request(b"one") + request(b"two")
    for cut in range(len(request(b"one")), len(stream)):
        inbox = Inbox()
        assert [body for _, body in inbox.take(stream[:cut])] == [b"one"]
        assert [body for _, body in inbox.take(stream[cut:])] == [b"two"]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b"POST /v25.0/7/messages HTTP/1.1", b"Authorization: Bearer t"),
        (b"POST /v25.0/7/messages HTTP/1.1", b"authorization: bearer t"),
        (b"POST /v25.0/7/messages?access_token=t HTTP/1.1", b"Host: x"),
    ],
)
def test_a_head_says_whose_call_it_is_however_its_token_comes(line: bytes, name: bytes) -> None:
    head = read_head(line + b"\r\n" + name + b"\r\ncontent-LENGTH: 12")
    assert (head.page, head.length, head.path) == ("7", 12, "/v25.0/7/messages")


def test_a_chunked_body_is_refused_loudly() -> None:
    with pytest.raises(ValueError, match="chunked"):
        Inbox().take(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")


def test_an_accepted_message_is_in_the_ledger_and_its_answer_has_an_id() -> None:
    ledger = Ledger()
    body = {"recipient": {"id": "p1"}, "message": {"text": "hello"}, "messaging_type": "RESPONSE"}
    head, _, content = answer(ledger, read_head(HEAD % 0), json.dumps(body).encode()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert f"Content-Length: {len(content)}".encode() in head
    assert json.loads(content) == {"recipient_id": "p1", "message_id": "m_1"}
    assert [entry[1:] for entry in ledger.entries] == [("7", "p1", "message", "hello")]
    assert ledger.messages == 1


def test_a_sender_action_is_in_the_ledger_and_has_no_id() -> None:
    ledger = Ledger()
    body = b'{"recipient":{"id":"p1"},"sender_action":"typing_on"}'
    content = answer(ledger, read_head(HEAD % len(body)), body).partition(b"\r\n\r\n")[2]
    assert json.loads(content) == {"recipient_id": "p1"}
    assert [entry[1:] for entry in ledger.entries] == [("7", "p1", "typing_on", None)]
    assert ledger.messages == 0


@pytest.mark.parametrize(
    ("head", "body", "reason"),
    [
        (HEAD, b"{", "not a call"),
        (HEAD, b"[]", "not a call"),
        (HEAD, b'{"recipient":{},"sender_action":"typing_on"}', "not a call"),
        (HEAD, b'{"recipient":{"id":"p"},"sender_action":"typing_on"} {}', "not a call"),
        (HEAD, b"\xff", "not a call"),
        (HEAD, b'{"recipient":{"id":"p"},"sender_action":[]}', "not a call"),
        (HEAD, b'{"recipient":{"id":"p"}}', "no such step: None"),
        (b"POST /v25.0/7/messages HTTP/1.1", b"{}", "no token"),
        (b"POST /v25.0/7/photos HTTP/1.1", b"{}", "no such edge: /v25.0/7/photos"),
    ],
)
def test_what_is_no_good_call_is_refused_and_counted(head: bytes, body: bytes, reason: str) -> None:
    ledger = Ledger()
    assert answer(ledger, read_head(head.replace(b"%d", b"0")), body).startswith(b"HTTP/1.1 40")
    assert (ledger.entries, ledger.refused) == ([], {reason: 1})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("around", ["", " \n"])
def test_a_body_is_read_however_json_may_be_written(encoding: str, around: str) -> None:
    ledger = Ledger()
    call = {"recipient": {"id": 'p"\u00e9'}, "message": {"text": "d\u00e9j\u00e0 \U0001f600"}}
    body = f"{around}{json.dumps(call, ensure_ascii=False)}{around}".encode(encoding)
    head, _, content = answer(ledger, read_head(HEAD % len(body)), body).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert f"Content-Length: {len(content)}".encode() in head
    assert json.loads(content) == {"recipient_id": 'p"\u00e9', "message_id": "m_1"}
    assert [entry[1:] for entry in ledger.entries] == [("7", 'p"\u00e9', "message", "d\u00e9j\u00e0 \U0001f600")]
