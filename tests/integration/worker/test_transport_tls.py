"""Calls over TLS, and the ways in which a handshake fails: nothing of the request has left then."""

from __future__ import annotations

import socket
import ssl
import struct
from pathlib import Path

import pytest

from tests.integration.worker.graph_host import Behaviour, GraphHost, Peer, accepting, call, certificate
from tests.integration.worker.test_transport_faults import reset_after_the_request, silent
from tests.waiting import PATIENCE
from worker.steps import Step
from worker.verdicts import Accepted, TryLater, Unknown


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's TLS whose certificate the worker trusts, as an operator would say it."""
    context, chain = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(chain))
    return context


def test_calls_over_tls_are_made_and_share_a_connection(trusted: ssl.SSLContext) -> None:
    with GraphHost(secure=trusted) as host:
        made = host.graph()
        assert [type(call(made, step).verdict) for step in (Step.TYPING_ON, Step.MESSAGE)] == [Accepted, Accepted]
        assert host.connections == 1


def test_a_certificate_that_nobody_vouches_for_never_left(tmp_path: Path) -> None:
    context, _ = certificate(tmp_path)
    with GraphHost(secure=context) as host:
        assert isinstance(call(host.graph()).verdict, TryLater)
        assert host.received == []


def test_a_certificate_for_another_name_never_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, chain = certificate(tmp_path, "another.invalid")
    monkeypatch.setenv("SSL_CERT_FILE", str(chain))
    with GraphHost(secure=context) as host:
        assert isinstance(call(host.graph()).verdict, TryLater)
        assert host.received == []


def close_at_once(peer: Peer) -> None:
    peer.socket.recv(1)


def reset_in_the_handshake(peer: Peer) -> None:
    peer.socket.recv(1)
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def no_tls(peer: Peer) -> None:
    peer.socket.recv(1)
    peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def silence(peer: Peer) -> None:
    peer.host.released.wait(PATIENCE)


def drip_alerts(peer: Peer) -> None:
    """Each read of the handshake succeeds, and it never ends."""
    for byte in b"\x16\x03\x03\x40\x00" + b"\x02" * 1000:
        peer.send(bytes([byte]))
        if peer.host.released.wait(0.05):
            return


@pytest.mark.parametrize("behave", [close_at_once, reset_in_the_handshake, no_tls])
def test_a_handshake_that_fails_never_left(behave: Behaviour) -> None:
    with GraphHost([behave]) as host:
        found = call(host.graph(url=host.url.replace("http:", "https:")))
    assert isinstance(found.verdict, TryLater)


@pytest.mark.parametrize("behave", [silence, drip_alerts])
def test_a_handshake_that_does_not_end_never_left_and_is_bounded(behave: Behaviour) -> None:
    with GraphHost([behave]) as host:
        found = call(host.graph(url=host.url.replace("http:", "https:"), connect_timeout=0.5))
    assert isinstance(found.verdict, TryLater)
    assert found.verdict.error.message == "Graph API: no connection (TimeoutError)"


@pytest.mark.parametrize("behave", [reset_after_the_request, silent])
def test_what_fails_after_the_handshake_may_have_left(behave: Behaviour, trusted: ssl.SSLContext) -> None:
    with GraphHost([behave, accepting], secure=trusted) as host:
        made = host.graph(read_timeout=0.5)
        assert isinstance(call(made).verdict, Unknown)
        assert len(host.received) == 1
        assert isinstance(call(made).verdict, Accepted)
