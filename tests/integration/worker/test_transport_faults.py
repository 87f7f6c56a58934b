"""Every way in which a call can go wrong on a real socket: what never left is told from what may have left."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, hmac
from pydantic import SecretStr

from envoi.queue.page_commands import HoldPage
from tests.integration.worker.graph_host import (
    TOKEN,
    Behaviour,
    GraphHost,
    Peer,
    accepting,
    answer_bytes,
    call,
    closed_port,
    graph_at,
)
from tests.waiting import PATIENCE
from worker import transport
from worker.call_errors import NeverLeftError, NoAnswerError
from worker.graph import Outcome
from worker.steps import Step
from worker.tokens import NoTokenError, TokensUnavailableError
from worker.transport import GraphAdapter, GraphRequest
from worker.verdicts import Accepted, Refused, Throttled, TryLater, Unknown
from worker.wire import Wire

SENT = {"recipient_id": "7", "message_id": "m_1"}


def outcome_of(behave: Behaviour, **settings: Any) -> Outcome:
    with GraphHost([behave]) as host:
        return call(host.graph(**settings))


# ---- never left


def test_a_refused_connection_never_left() -> None:
    with closed_port() as port:
        found = call(graph_at(f"http://127.0.0.1:{port}"))
    assert isinstance(found.verdict, TryLater)
    assert not found.verdict.answered
    assert found.record
    assert (found.record.step, found.record.verdict, found.record.http_status) == ("message", "TryLater", None)


def test_a_name_that_is_not_known_never_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("worker.dialing.socket.getaddrinfo", unknown)
    assert isinstance(call(graph_at("http://graph.invalid")).verdict, TryLater)


def test_a_connection_that_takes_too_long_never_left() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:  # a full queue of connections: the next one's SYN gets no answer
            filler.setblocking(False)  # the socket's interface
            filler.connect_ex(("127.0.0.1", port))
        found = call(graph_at(f"http://127.0.0.1:{port}", connect_timeout=0.3))
        for filler in fillers:
            filler.close()
    assert isinstance(found.verdict, TryLater)
    assert found.verdict.error.message == "Graph API: no connection (TimeoutError)"


@pytest.mark.parametrize("url", ["http://localhost:99999", "http://" + "x" * 70 + ".invalid"])
def test_an_address_that_is_none_never_left(url: str) -> None:
    assert isinstance(call(graph_at(url)).verdict, TryLater)


@pytest.mark.parametrize("url", ["ftp://localhost/", "http://", "http://[::1", "http://localhost/\x7f"])
def test_a_request_that_cannot_be_written_never_left(url: str) -> None:
    with pytest.raises(NeverLeftError):
        GraphAdapter(1).send(GraphRequest(url, {}, b"", lambda: True), timeout=(1.0, 1.0))


def test_a_header_that_would_break_out_of_its_line_never_left() -> None:
    with GraphHost() as host:
        request = GraphRequest(host.url + "/", {"Authorization": "Bearer x\r\nX-Injected: 1"}, b"{}", lambda: True)
        with pytest.raises(NeverLeftError):
            GraphAdapter(1).send(request, timeout=(1.0, 1.0))
        assert host.connections == 0


def test_a_call_whose_right_ran_out_is_not_made_and_not_recorded() -> None:
    with GraphHost() as host:
        found = call(host.graph(), may_start=lambda: False)
        assert isinstance(found.verdict, TryLater)
        assert found.record is None
        assert host.received == []


def test_the_right_is_asked_for_after_connecting_which_may_have_taken_long() -> None:
    with GraphHost() as host:
        stands: list[int] = []

        def may_start() -> bool:
            stands.append(host.connections)
            return False

        made = host.graph()
        call(made, may_start=may_start)
        call(made)  # so that the host has surely counted the connection
        assert host.connections == 1
        assert len(host.received) == 1
        assert len(stands) == 1


# ---- may have left


def reset_after_the_request(peer: Peer) -> None:
    peer.request()
    peer.reset()


def close_after_the_request(peer: Peer) -> None:
    peer.request()


def reset_before_reading(peer: Peer) -> None:
    peer.socket.recv(1)
    peer.reset()


def say(data: bytes) -> Behaviour:
    """Take the request, say this, close."""

    def behave(peer: Peer) -> None:
        peer.request()
        peer.send(data)

    behave.__name__ = repr(data[:50])
    return behave


WHOLE = answer_bytes(SENT)
BODY = json.dumps(SENT).encode()
CHUNK = f"{len(BODY):x}\r\n".encode() + BODY  # without its end
UNREADABLE = [
    b"",
    b"HTTP/1.1 200 OK\r\nContent-Le",
    b"garbage\r\n\r\n",
    b"HTTP/2 200 OK\r\n\r\n" + BODY,
    b"SSH-2.0-OpenSSH_9.6\r\n",
    b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n" + BODY,
    b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n" + BODY,
    b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n" + BODY,
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n" + BODY,
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNK + b"\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n" + CHUNK + b"\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNK + b"\r\nzz\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNK + b"xx0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNK + b"\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n" * 20,
    b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 100_000 + b"\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999999\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (1 << 21),
    WHOLE[:-1],
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    answer_bytes(b'{"message_id":"m_1"'),
    answer_bytes(b"<html>502 Bad Gateway</html>", 502),
    answer_bytes(b"", 500),
    answer_bytes(SENT, 302, "Location: http://127.0.0.1:9/elsewhere"),
]


@pytest.mark.parametrize(
    "behave", [reset_after_the_request, close_after_the_request, reset_before_reading, *map(say, UNREADABLE)]
)
def test_without_a_whole_readable_answer_nobody_knows(behave: Behaviour) -> None:
    found = outcome_of(behave)
    assert isinstance(found.verdict, Unknown)
    assert found.record
    assert found.record.verdict == "Unknown"


def test_an_answer_that_broke_off_is_on_record_with_its_status() -> None:
    found = outcome_of(say(WHOLE[:-1]))
    assert found.record
    assert (found.record.http_status, found.record.error_message) == (200, "Graph API: the answer broke off")


def silent(peer: Peer) -> None:
    """What ends later than a deadline ends otherwise: the connection is closed."""
    peer.request()
    peer.host.released.wait(PATIENCE)


def deaf(peer: Peer) -> None:
    peer.host.released.wait(PATIENCE)


def drip(data: bytes) -> Behaviour:
    """Give a byte now and then: each read succeeds, the answer never ends."""

    def behave(peer: Peer) -> None:
        peer.request()
        for byte in data:
            peer.send(bytes([byte]))
            if peer.host.released.wait(0.05):
                return

    return behave


@pytest.mark.parametrize(
    "behave",
    [
        silent,
        deaf,
        drip(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 100),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b" " * 1000),
        drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 100),
        drip(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 1000),
        drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    ],
)
def test_one_deadline_bounds_the_whole_answer(behave: Behaviour) -> None:
    found = outcome_of(behave, read_timeout=0.5)
    assert isinstance(found.verdict, Unknown)
    assert found.verdict.error.message == "Graph API: no whole answer in time"


def test_an_action_has_a_shorter_deadline_than_a_message() -> None:
    with GraphHost([silent]) as host:
        found = call(host.graph(read_timeout=3600.0, action_timeout=0.2), Step.TYPING_ON)
    assert isinstance(found.verdict, Unknown)
    assert found.verdict.error.message == "Graph API: no whole answer in time"


# ---- answers

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        WHOLE,
        b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE,
        b"HTTP/1.1 200 OK\r\n\r\n" + BODY,
        b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
        b"HTTP/1.1 200\r\nContent-Length: 22\r\n\r\n" + b'{"message_id": "m_1"}\n',
        CHUNKED + b'8;x=y\r\n{"messag\r\nd\r\ne_id": "m_1"}\r\n0\r\ntrailer: x\r\n\r\n',
        answer_bytes(SENT, 200, "Connection: close"),
    ],
)
def test_a_whole_answer_is_read_however_its_length_is_told(data: bytes) -> None:
    found = outcome_of(say(data))
    assert isinstance(found.verdict, Accepted)
    assert found.verdict.message_id == "m_1"
    assert found.record
    assert (found.record.http_status, found.record.message_id) == (200, "m_1")


def test_an_answer_in_single_bytes_is_read() -> None:
    def behave(peer: Peer) -> None:
        peer.request()
        for byte in WHOLE:
            peer.send(bytes([byte]))

    assert isinstance(outcome_of(behave).verdict, Accepted)


def test_a_graph_error_gives_its_verdict_and_is_on_record() -> None:
    body = {"error": {"message": "no", "code": 613, "error_subcode": 1996, "fbtrace_id": "AbC"}}
    usage = 'X-Business-Use-Case-Usage: {"1":[{"type":"messenger","estimated_time_to_regain_access":3}]}'
    found = outcome_of(say(answer_bytes(body, 400, usage)))
    assert isinstance(found.verdict, Throttled)
    assert (found.verdict.scope, found.verdict.seconds) == ("app", 180.0)
    assert found.restraints == (HoldPage("1", 180.0),)
    record = found.record
    assert record
    assert (record.http_status, record.error_code, record.error_subcode, record.error_message, record.fbtrace_id) == (
        400,
        613,
        1996,
        "no",
        "AbC",
    )


def test_the_duration_on_record_is_the_time_until_the_verdict() -> None:
    began = time.monotonic()
    found = outcome_of(silent, read_timeout=0.3)
    assert found.record
    assert 300 <= found.record.duration_ms <= 1000 * (time.monotonic() - began)


# ---- kept-alive connections


def test_calls_share_a_kept_alive_connection() -> None:
    with GraphHost() as host:
        made = host.graph()
        for step in (Step.TYPING_ON, Step.MESSAGE, Step.TYPING_OFF):
            assert isinstance(call(made, step).verdict, Accepted)
        assert host.connections == 1
        assert [("message" in r.body, r.body.get("sender_action")) for r in host.received] == [
            (False, "typing_on"),
            (True, None),
            (False, "typing_off"),
        ]


def once(peer: Peer) -> None:
    peer.request()
    peer.answer(SENT)


def test_a_connection_that_the_server_closed_while_idle_is_not_used_again() -> None:
    closed = threading.Event()

    def once_and_tell(peer: Peer) -> None:
        once(peer)
        peer.socket.close()
        closed.set()

    with GraphHost([once_and_tell, accepting]) as host:
        made = host.graph()
        assert isinstance(call(made).verdict, Accepted)
        assert closed.wait(10)
        assert isinstance(call(made).verdict, Accepted)
        assert host.connections == 2


@pytest.mark.parametrize("answer", [answer_bytes(SENT, 200, "Connection: close"), WHOLE + b"x", WHOLE + WHOLE])
def test_a_connection_that_is_not_in_order_is_not_used_again(answer: bytes) -> None:
    """Else the rest of one call's answer would be taken for the next one's."""

    def behave(peer: Peer) -> None:
        while peer.request():
            peer.send(answer)

    with GraphHost([behave]) as host:
        made = host.graph()
        assert isinstance(call(made).verdict, Accepted)
        assert isinstance(call(made).verdict, Accepted)
        assert host.connections == 2


def test_a_connection_is_not_used_again_after_some_seconds_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "IDLE", 0.0)
    with GraphHost() as host:
        made = host.graph()
        call(made)
        call(made)
        assert host.connections == 2


def test_a_connection_that_failed_is_closed() -> None:
    def silent_then_watch(peer: Peer) -> None:
        peer.request()
        with pytest.raises(ConnectionResetError):
            peer.socket.recv(1)  # the client gives up: nothing unsent of it goes out later
        left.set()

    left = threading.Event()
    with GraphHost([silent_then_watch, accepting]) as host:
        made = host.graph(read_timeout=0.3)
        assert isinstance(call(made).verdict, Unknown)
        assert left.wait(10)
        assert isinstance(call(made).verdict, Accepted)
        assert host.connections == 2


def test_each_call_in_flight_has_a_connection_of_its_own_and_all_are_kept() -> None:
    together = threading.Barrier(4, timeout=10)

    def behave(peer: Peer) -> None:
        while peer.request():
            together.wait()
            peer.answer(SENT)

    with GraphHost([behave]) as host:
        made = host.graph(read_timeout=10.0)
        verdicts: list[object] = []
        for _ in range(2):
            threads = [threading.Thread(target=lambda: verdicts.append(call(made).verdict)) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(10)
        assert host.connections == 4
        assert len(verdicts) == 8
        assert all(isinstance(verdict, Accepted) for verdict in verdicts)


def test_a_connection_is_set_up_to_send_at_once_and_never_late() -> None:
    found: dict[str, int] = {}
    with GraphHost() as host:
        made = host.graph()
        call(made)
        ((wire,),) = made._adapter._idle.values()
        sock = wire._socket
        found["nodelay"] = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        found["unacked"] = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        linger = struct.unpack("ii", sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))
    assert found == {"nodelay": 1, "unacked": 30_000}
    assert linger == (1, 0)


# ---- the request


def test_the_token_is_in_the_header_and_the_proof_in_the_body_and_neither_anywhere_else() -> None:
    with GraphHost() as host:
        made = host.graph(app_secret=SecretStr("app-secret"))
        found = call(made)
    (received,) = host.received
    first, *lines = received.head.split("\r\n")
    assert first == "POST /v25.0/1/messages HTTP/1.1"
    assert f"Authorization: Bearer {TOKEN}" in lines
    assert f"Host: localhost:{host.port}" in lines
    assert received.head.count(TOKEN) == 1
    assert TOKEN not in json.dumps(received.body)
    # HMAC-SHA256 of the token under the app's secret, by another implementation
    assert received.body["appsecret_proof"] == proof_of("app-secret", TOKEN)
    assert TOKEN not in repr(found)


def proof_of(secret: str, text: str) -> str:
    maker = hmac.HMAC(secret.encode(), hashes.SHA256())
    maker.update(text.encode())
    return maker.finalize().hex()


# ---- tokens, and what nobody foresaw


@pytest.mark.parametrize(
    ("error", "verdict"),
    [(NoTokenError("none"), Refused), (TokensUnavailableError("not now"), Throttled), (KeyError("page"), TryLater)],
)
def test_without_a_token_no_call_is_made_and_the_page_or_the_job_waits(
    error: Exception, verdict: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    with GraphHost() as host:
        made = host.graph()
        monkeypatch.setattr(made._tokens, "get", fail)
        found = call(made)
        assert isinstance(found.verdict, verdict)
        assert found.record is None
        assert host.connections == 0


def test_an_unforeseen_failure_in_the_call_is_unknown_and_shows_no_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(f"holding {TOKEN}")

    monkeypatch.setattr("worker.endings.judge", fail)
    with GraphHost() as host:
        made = host.graph()
        found = call(made)
    assert isinstance(found.verdict, Unknown)
    shown = capsys.readouterr()
    assert "unforeseen" in shown.out + shown.err
    assert TOKEN not in shown.out + shown.err + repr(found)


def test_a_deadline_that_has_passed_stops_the_call_before_anything_is_written() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with pytest.raises(NoAnswerError, match="no whole answer in time"):
            Wire(ours).exchange(b"x", time.monotonic() - 1.0)
        theirs.setblocking(False)
        with pytest.raises(BlockingIOError):
            theirs.recv(1)
