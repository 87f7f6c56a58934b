"""The sandbox as a server: one port for the Graph API and the control interface, and an end that does not wait."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.connection import numbered_protocol
from sandbox.control import control_app
from sandbox.doorway import Doorway
from sandbox.edge import Edge
from sandbox.world import Sandbox

# Calls under way at SIGTERM may end within this; held ones are let go of at once.
GRACE_SECONDS = 1.0
# Graph's own is not known. Long, so that no connection is closed but to order.
KEEP_ALIVE_SECONDS = 3600
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_CONTROL = "/sandbox"


class App:
    """The Graph API on every path but those of the control interface."""

    def __init__(self, sandbox: Sandbox, doorway: Doorway) -> None:
        self._edge = Edge(sandbox)
        self._control: ASGIApp = control_app(sandbox, doorway)
        self._doorway = doorway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and self._doorway.shut:
                message["headers"] = [*message.get("headers", []), (b"connection", b"close")]
            await send(message)

        path: str = scope["path"]
        ours = path == _CONTROL or path.startswith(f"{_CONTROL}/")
        await (self._control if ours else self._edge)(scope, receive, answer)


class Server(uvicorn.Server):
    """uvicorn, with an end of our own: SIGTERM and SIGINT are an orderly end, and nothing held delays it."""

    def __init__(self, sandbox: Sandbox, ready: Callable[[], None]) -> None:
        """Describe the server; ``ready`` is called once it takes both requests and signals."""
        self._doorway = Doorway()
        super().__init__(
            uvicorn.Config(
                App(sandbox, self._doorway),
                http=numbered_protocol(),
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
            )
        )
        self._sandbox = sandbox
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, and say so."""
        await super().startup(sockets)
        self._doorway.opened(self.servers[0], self._connection)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let go of what is held, give calls under way a moment, then end them too."""
        self._doorway.close()
        self._sandbox.release()
        cut = asyncio.get_running_loop().call_later(GRACE_SECONDS, self._cut)
        await super().shutdown(sockets)
        cut.cancel()

    def _connection(self) -> asyncio.Protocol:
        kind: Any = self.config.http_protocol_class
        made: asyncio.Protocol = kind(config=self.config, server_state=self.server_state, app_state={})
        return made

    def _cut(self) -> None:
        self._sandbox.waits.stop()
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals as requests to end; uvicorn's own would raise them again at the end, and die of them."""
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)
