"""The Graph stub of the benchmarks: a program that accepts every call at once, and writes down what it accepted.

It knows three requests: ``POST …/messages`` is a call; ``GET /count`` and ``GET /ledger`` are for the harness. It is
made to be fast: a bare epoll loop, twice as fast as asyncio. It checks little; the sandbox is the place for faults and
facts.
"""

from __future__ import annotations

import argparse
import gc
import select
import socket
import ssl
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.stub_answers import Ledger, answer

_HEAD_END = b"\r\n\r\n"
_READ = 1 << 16


@dataclass(slots=True, eq=False)
class Connection:
    """One kept-alive HTTP/1.1 connection, and what has come in of its next request."""

    socket: socket.socket
    buffer: bytes = b""

    def read(self) -> bytes | None:
        """All that has come in; None if nothing has yet, b"" if the client has gone.

        What TLS has taken off the socket shows in no epoll, so it must be read to the end.
        """
        found = b""
        try:
            while data := self.socket.recv(_READ):
                found += data
                if not isinstance(self.socket, ssl.SSLSocket):
                    break
        except (BlockingIOError, ssl.SSLWantReadError):  # a handshake may be going on: reading carries it on
            return found or None
        except OSError:  # ssl.SSLError is one
            return b""
        return found

    def requests(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Head and body of each request that is now whole.

        Raises:
            ValueError: a body comes in chunks, or its length is no number.
        """
        self.buffer += data
        while (end := self.buffer.find(_HEAD_END)) >= 0:
            head = self.buffer[:end]
            whole = end + len(_HEAD_END) + _length(head)
            if len(self.buffer) < whole:
                return
            body = self.buffer[end + len(_HEAD_END) : whole]
            self.buffer = self.buffer[whole:]
            yield head, body

    def write(self, answer: bytes) -> None:
        """Send an answer; a client that has gone is no trouble of ours: its call took effect all the same."""
        try:
            sent = self.socket.send(answer)
            if sent < len(answer):  # the ledger: the harness reads it at once
                self.socket.setblocking(True)
                self.socket.sendall(answer[sent:])
                self.socket.setblocking(False)
        except OSError:
            self.socket.close()


def _length(head: bytes) -> int:
    lower = head.lower()
    if b"\r\ntransfer-encoding:" in lower:
        raise ValueError("the stub takes no chunked bodies")
    _, found, rest = lower.partition(b"\r\ncontent-length:")
    return int(rest.split(b"\r\n", 1)[0]) if found else 0


class Stub:
    """The loop. Every call takes the same time, so calls become due in the order in which they came."""

    def __init__(self, latency: float) -> None:
        """Make one that does not listen yet.

        Args:
            latency: seconds from the last byte of a call until it takes effect and is answered.
        """
        self._latency = latency
        self._ledger = Ledger()
        self._listeners: dict[int, tuple[socket.socket, ssl.SSLContext | None]] = {}
        self._connections: dict[int, Connection] = {}
        self._due: deque[tuple[float, Connection, bytes, bytes]] = deque()
        self._epoll = select.epoll()

    def listen(self, port: int, context: ssl.SSLContext | None = None) -> None:
        """Listen on a port of 127.0.0.1, with TLS if there is a context; on several if called again."""
        listener = socket.create_server(("127.0.0.1", port), backlog=4096)
        listener.setblocking(False)
        self._listeners[listener.fileno()] = (listener, context)
        self._epoll.register(listener, select.EPOLLIN)

    def serve(self) -> None:
        """Serve until the process ends."""
        while True:
            wait = max(0.0, self._due[0][0] - time.monotonic()) if self._due else None
            for number, _ in self._epoll.poll(wait):
                connection = self._connections.get(number)
                if connection is None:
                    self._accept(*self._listeners[number])
                else:
                    self._read(number, connection)
            while self._due and self._due[0][0] <= time.monotonic():
                _, connection, head, body = self._due.popleft()
                connection.write(answer(self._ledger, head, body))

    def _accept(self, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        while True:
            try:
                accepted, _ = listener.accept()
            except BlockingIOError:
                return
            accepted.setblocking(False)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if context is not None:
                accepted = context.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False)
            self._connections[accepted.fileno()] = Connection(accepted)
            self._epoll.register(accepted, select.EPOLLIN)

    def _read(self, number: int, connection: Connection) -> None:
        data = connection.read()
        if data is None:
            return
        if not data:
            del self._connections[number]
            connection.socket.close()  # which also takes it out of the epoll
            return
        for head, body in connection.requests(data):
            if self._latency and head.startswith(b"POST "):
                self._due.append((time.monotonic() + self._latency, connection, head, body))
            else:
                connection.write(answer(self._ledger, head, body))


def main() -> None:
    """Serve until a signal ends the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds each call takes")
    parser.add_argument("--tls-port", type=int, help="where it listens with TLS, besides")
    parser.add_argument("--certificate", help="for TLS: the server's certificate, a PEM file")
    parser.add_argument("--key", help="for TLS: its private key")
    options = parser.parse_args()
    gc.disable()  # the ledger only grows: looking through it again and again would show up as latency
    stub = Stub(options.latency)
    if options.tls_port is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate, options.key)
        stub.listen(options.tls_port, context)
    stub.listen(options.port)  # last: once this port answers, all do
    stub.serve()


if __name__ == "__main__":
    main()
