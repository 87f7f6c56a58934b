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

from benchmarks.stub_answers import Ledger, answer
from benchmarks.stub_requests import Head, Inbox

_READ = 1 << 14  # bytes at once: as much as one record of TLS holds, so that none is left over in its buffer


class Connection:
    """One kept-alive HTTP/1.1 connection."""

    __slots__ = ("_socket", "inbox", "read")

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self.inbox = Inbox()
        self.read = sock.recv

    def write(self, data: bytes) -> None:
        """Send an answer; a client that has gone is no trouble of ours: its call took effect all the same."""
        try:
            sent = self._socket.send(data)
            if sent < len(data):  # the ledger: the harness reads it at once
                self._socket.setblocking(True)
                self._socket.sendall(data[sent:])
                self._socket.setblocking(False)
        except OSError:
            self._socket.close()

    def close(self) -> None:
        """Close it, which also takes it out of the epoll."""
        self._socket.close()


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
        self._due: deque[tuple[float, Connection, Head, bytes]] = deque()
        self._epoll = select.epoll()

    def listen(self, port: int, context: ssl.SSLContext | None = None) -> None:
        """Listen on a port of 127.0.0.1, with TLS if there is a context; on several if called again."""
        listener = socket.create_server(("127.0.0.1", port), backlog=4096)
        listener.setblocking(False)
        self._listeners[listener.fileno()] = (listener, context)
        self._epoll.register(listener, select.EPOLLIN)

    def serve(self) -> None:
        """Serve until the process ends."""
        connections, due = self._connections, self._due
        while True:
            wait = max(0.0, due[0][0] - time.monotonic()) if due else None
            for number, _ in self._epoll.poll(wait):
                connection = connections.get(number)
                if connection is None:
                    self._accept(*self._listeners[number])
                else:
                    self._read(number, connection)
            while due and due[0][0] <= time.monotonic():
                _, connection, head, body = due.popleft()
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
        try:
            data = connection.read(_READ)
        except (BlockingIOError, ssl.SSLWantReadError):  # a handshake may be going on: reading carries it on
            return
        except OSError:  # ssl.SSLError is one
            data = b""
        if not data:
            del self._connections[number]
            connection.close()
            return
        for head, body in connection.inbox.take(data):
            if self._latency and head.method == b"POST":
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
