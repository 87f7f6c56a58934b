"""The console as a process."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager

import uvicorn
from starlette.types import ASGIApp

from envoi.console.app import console_app
from envoi.console.house import open_house
from envoi.errors import EnvoiError
from envoi.logs import configure_logs
from envoi.settings import Settings

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_GRACE_SECONDS = 3  # for what is being answered at SIGTERM


class CannotListen(EnvoiError):  # noqa: N818  # says what is wrong, as all errors of Envoi do
    """The address is taken, or none of this host."""


class _Server(uvicorn.Server):
    """uvicorn that says when it is ready, and to which a signal is an orderly end."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take signals as requests to end; uvicorn's own would raise them again at the end, and die of them."""
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        told = f"[{host}]" if ":" in host else host
        sys.stdout.write(f"console ready on http://{told}:{port}\n")
        sys.stdout.flush()


def serve(settings: Settings, host: str, port: int) -> None:
    """Run until a signal ends it.

    Args:
        settings: where log and queue are, and the password.
        host: address to listen on.
        port: 0 chooses a free one.

    Raises:
        BadPassword, BadSettings, LogError: it cannot start as it is set.
        CannotListen: the address is not free.
    """
    configure_logs()
    house = open_house(settings)
    app = console_app(house)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        opened = socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise CannotListen(f"cannot listen on {host}:{port}: {error.strerror}") from None
    with opened, closing(house):
        _Server(config_of(app)).run(sockets=[opened])


def config_of(app: ASGIApp) -> uvicorn.Config:
    """How the console is served: without uvicorn's own log of accesses, name and trust in proxies."""
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
