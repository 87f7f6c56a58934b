"""The proxy passes bytes on unchanged, and cuts where it is told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from demo.ports import free_port
from tests.faults.proxy import Cut, Proxy


class Echo:
    """A server that answers every request with its own bytes, and notes what it has read."""

    def __init__(self) -> None:
        self.read: list[bytes] = []
        self.ended = threading.Semaphore(0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(1 << 16):
                    self.read.append(data)
                    connection.sendall(data)
            except ConnectionError:
                pass
        self.ended.release()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # else the thread that accepts keeps it open
        self._listener.close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[Proxy]:
    with Proxy(echo.port) as built:
        yield built


def connected(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=10)


def is_reset(client: socket.socket) -> bool:
    """Whether the next thing that comes is a reset."""
    try:
        client.recv(1)
    except ConnectionResetError:
        return True
    return False


def test_bytes_pass_both_ways_and_an_end_does_too(proxy: Proxy, echo: Echo) -> None:
    with connected(proxy) as client:
        for request in (b"one", b"two" * 10_000):
            client.sendall(request)
            answer = b""
            while len(answer) < len(request):
                answer += client.recv(1 << 16)
            assert answer == request
    assert echo.ended.acquire(timeout=10)
    assert proxy.cuts == 0


@pytest.mark.parametrize(("where", "read"), [("before", []), ("during", [b"requ"]), ("after", [b"requests"])])
def test_the_second_request_is_cut_at_its_place(proxy: Proxy, echo: Echo, where: str, read: list[bytes]) -> None:
    proxy.order(Cut(where, every=2))  # type: ignore[arg-type]  # a parameter of the test
    with connected(proxy) as client:
        client.sendall(b"first")
        assert client.recv(100) == b"first"
        client.sendall(b"requests")
        assert is_reset(client)
    assert echo.ended.acquire(timeout=10)
    assert echo.read == [b"first", *read]
    assert proxy.cuts == 1


def test_only_requests_that_hold_the_words_are_cut(proxy: Proxy) -> None:
    proxy.order(Cut("before", holding=b"message"))
    with connected(proxy) as client:
        client.sendall(b"typing")
        assert client.recv(100) == b"typing"
        client.sendall(b"a message")
        assert is_reset(client)


def test_nothing_is_cut_once_that_is_ordered(proxy: Proxy) -> None:
    proxy.order(Cut("before"))
    proxy.order(None)
    with connected(proxy) as client:
        client.sendall(b"request")
        assert client.recv(100) == b"request"


def test_all_connections_are_cut_at_once(proxy: Proxy) -> None:
    with connected(proxy) as one, connected(proxy) as two:
        for client in (one, two):
            client.sendall(b"x")
            assert client.recv(1) == b"x"
        proxy.cut_all()
        assert is_reset(one)
        assert is_reset(two)
    assert proxy.cuts == 2


def test_where_nobody_listens_behind_it_a_client_is_reset() -> None:
    with Proxy(free_port()) as proxy, pytest.raises(ConnectionResetError), connected(proxy) as client:
        client.recv(1)


def test_it_refuses_connections_while_it_is_shut(proxy: Proxy) -> None:
    with connected(proxy) as client:
        for turn in range(2):
            client.sendall(b"x")
            assert client.recv(1) == b"x"
            if turn == 0:
                proxy.shut()
        with pytest.raises(ConnectionRefusedError):
            connected(proxy)
    proxy.open()
    with connected(proxy) as client:
        client.sendall(b"y")
        assert client.recv(1) == b"y"
