"""The sandbox as a server: one port for the Graph API and the control interface, and an end that does not wait."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.connection import numbered_protocol
from sandbox.control import control_app
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

    def __init__(self, sandbox: Sandbox) -> None:
        self._edge = Edge(sandbox)
        self._control: ASGIApp = control_app(sandbox)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        path: str = scope["path"]
        ours = path == _CONTROL or path.startswith(f"{_CONTROL}/")
        await (self._control if ours else self._edge)(scope, receive, send)


class Server(uvicorn.Server):
    """uvicorn, with an end of our own: SIGTERM and SIGINT are an orderly end, and nothing held delays it."""

    def __init__(self, sandbox: Sandbox, ready: Callable[[], None]) -> None:
        """Describe the server; ``ready`` is called once it takes both requests and signals."""
        super().__init__(
            uvicorn.Config(
                App(sandbox),
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
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let go of what is held, give calls under way a moment, then end them too."""
        self._sandbox.release()
        cut = asyncio.get_running_loop().call_later(GRACE_SECONDS, self._cut)
        await super().shutdown(sockets)
        cut.cancel()

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


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 chooses a free one.

    Raises:
        OSError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named TCP, for asyncio to switch Nagle's algorithm off: else an answer in two writes takes 40 ms.
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((host, port))
        opened.listen(2048)
    except OSError:
        opened.close()
        raise
    return opened
