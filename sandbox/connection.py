"""One TCP connection as the sandbox needs it: numbered, known to be gone at once, and able to be reset."""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
from collections.abc import MutableMapping
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

SCOPE_KEY = "sandbox.connection"
_AT_ONCE = struct.pack("ii", 1, 0)  # struct linger: on, 0 seconds


class JoinedWrites:
    """A transport that sends what is written at one go as one packet. uvicorn writes an answer in two parts."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._pending: list[bytes] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever a transport has
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send it at the end of this turn of the event loop."""
        if not self._pending:
            asyncio.get_running_loop().call_soon(self._flush)
        self._pending.append(bytes(data))

    def close(self) -> None:
        """Close once everything is sent."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        pending, self._pending = self._pending, []
        if pending and not self._transport.is_closing():
            self._transport.write(b"".join(pending))


class Connection:
    """A connection of a client.

    Attributes:
        number: counted from 1 in the order of connecting.
        gone: set once the connection is closed, from whichever side.
    """

    def __init__(self, number: int, transport: asyncio.Transport) -> None:
        self.number = number
        self.gone = asyncio.Event()
        self._transport = transport

    @property
    def up(self) -> bool:
        """Whether an answer could still be written to it."""
        return not self.gone.is_set() and not self._transport.is_closing()

    async def reset(self) -> None:
        """Reset it: the client gets a RST, and whatever was not yet sent is dropped."""
        opened = self._transport.get_extra_info("socket")
        if opened is not None and self.up:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self._transport.abort()
        await self.gone.wait()

    def abort(self) -> None:
        """Close it without an answer."""
        self._transport.abort()


def connection_of(scope: MutableMapping[str, Any]) -> Connection:
    """The connection that a request came over."""
    connection: Connection = scope[SCOPE_KEY]
    return connection


def numbered_protocol() -> type[HttpToolsProtocol]:
    """The HTTP protocol of one server: uvicorn's, with each request told its connection."""
    numbers = itertools.count(1)

    class NumberedProtocol(HttpToolsProtocol):
        connection: Connection

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
            joined: Any = JoinedWrites(transport)
            super().connection_made(joined)
            self.connection = Connection(next(numbers), transport)

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            self.connection.gone.set()

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self.scope[SCOPE_KEY] = self.connection  # type: ignore[literal-required]  # a key of our own in it

    return NumberedProtocol
