"""A TCP proxy on 127.0.0.1 that cuts connections to order: before, during or after a request, or all at once.

It knows no protocol: a request is what a client writes in one go, which holds for our calls and for trips to Redis. A
cut is a reset on both sides (SO_LINGER 0), as from a middlebox that has lost the connection.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self

_START_SECONDS = 10.0
_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Cut:
    """Where requests are cut.

    Attributes:
        where: ``before`` a byte of it is passed on; ``during``, when half of it is; ``after``, when it was passed on
            whole and its answer comes, which is dropped.
        every: the n-th request of all connections, again and again.
        holding: only requests that hold these bytes count.
    """

    where: Literal["before", "during", "after"]
    every: int = 1
    holding: bytes = b""


class Proxy:
    """Passes bytes on to a port of 127.0.0.1.

    Attributes:
        port: where it listens.
        cuts: how many requests were cut, and connections by :meth:`cut_all`.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.cuts = 0
        self.links: set[_Link] = set()
        self._server: asyncio.Server | None = None
        self._cut: Cut | None = None
        self._seen = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    def start(self) -> None:
        """Listen on a free port, in a thread of its own."""
        self._thread.start()
        if not self._ready.wait(_START_SECONDS):
            raise TimeoutError("the proxy did not start")

    def close(self) -> None:
        """Cut everything and end."""
        self.cut_all()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def order(self, cut: Cut | None) -> None:
        """Cut requests from now on; None: no more."""
        self._ask(lambda: self._set(cut))

    def cut_all(self) -> None:
        """Cut every connection there is now."""
        self._ask(self._cut_all)

    def shut(self) -> None:
        """Refuse new connections; those that are open stay."""
        self._ask(self._shut)

    def open(self) -> None:
        """Take connections again, at the same port."""
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(_START_SECONDS)

    def decide(self, data: bytes) -> str:
        """What becomes of a request: ``pass``, ``before``, ``during`` or ``after``."""
        cut = self._cut
        if cut is None or cut.holding not in data:
            return "pass"
        self._seen += 1
        if self._seen % cut.every:
            return "pass"
        self.cuts += 1
        return cut.where

    def _set(self, cut: Cut | None) -> None:
        self._cut, self._seen = cut, 0

    def _shut(self) -> None:
        if self._server:
            self._server.close()

    def _cut_all(self) -> None:
        self.cuts += len(self.links)
        for link in list(self.links):
            link.reset()

    def _ask(self, work: Callable[[], None]) -> None:
        """Have it done in the proxy's thread, and wait until it is."""
        done = threading.Event()

        def do() -> None:
            work()
            done.set()

        self._loop.call_soon_threadsafe(do)
        if not done.wait(_START_SECONDS):
            raise TimeoutError("the proxy does not answer")

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())
        self._ready.set()
        self._loop.run_forever()
        self._shut()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())

    async def _listen(self) -> None:
        self._server = await self._loop.create_server(
            lambda: _Link(self, self._loop), "127.0.0.1", self.port, backlog=512
        )
        self.port = self._server.sockets[0].getsockname()[1]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Link(asyncio.Protocol):
    """One client's connection, and the one behind it."""

    def __init__(self, proxy: Proxy, loop: asyncio.AbstractEventLoop) -> None:
        self._proxy = proxy
        self._loop = loop
        self._client: asyncio.Transport | None = None
        self._server: asyncio.Transport | None = None
        self._early: list[bytes] = []  # written before the connection behind stood
        self._dialing: asyncio.Task[None] | None = None
        self.doomed = False  # cut when the answer comes

    def connection_made(self, transport: Any) -> None:  # asyncio's own
        self._client = transport
        self._proxy.links.add(self)
        self._dialing = self._loop.create_task(self._dial())

    async def _dial(self) -> None:
        try:
            transport, _ = await self._loop.create_connection(lambda: _Behind(self), "127.0.0.1", self._proxy.target)
        except OSError:
            self.reset()
            return
        self._server = transport
        if self._client is None:  # gone meanwhile
            self.reset()
            return
        early, self._early = self._early, []
        for data in early:
            transport.write(data)

    def data_received(self, data: bytes) -> None:
        match self._proxy.decide(data):
            case "before":
                self.reset()
            case "during":
                self._pass_on(data[: len(data) // 2])
                self.reset()
            case "after":
                self.doomed = True
                self._pass_on(data)
            case _:
                self._pass_on(data)

    def _pass_on(self, data: bytes) -> None:
        if self._server is None:
            self._early.append(data)
        else:
            self._server.write(data)

    def answer(self, data: bytes) -> None:
        """Bytes from behind."""
        if self.doomed:
            self.reset()
        elif self._client is not None:
            self._client.write(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's own
        self._client = None
        self.end()

    def end(self) -> None:
        """One side has hung up: so does the other, when it has all its bytes."""
        self._proxy.links.discard(self)
        for transport in (self._client, self._server):
            if transport is not None:
                transport.close()

    def reset(self) -> None:
        """Reset both sides."""
        self._proxy.links.discard(self)
        for transport in (self._client, self._server):
            if transport is not None:
                sock: socket.socket = transport.get_extra_info("socket")
                if sock.fileno() >= 0:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                transport.abort()


class _Behind(asyncio.Protocol):
    """The connection behind a client's."""

    def __init__(self, link: _Link) -> None:
        self._link = link

    def data_received(self, data: bytes) -> None:
        self._link.answer(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's own
        self._link.end()
