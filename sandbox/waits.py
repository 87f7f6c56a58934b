"""Everything in the sandbox that waits on purpose, so that all of it can be ended at once."""

from __future__ import annotations

import asyncio

from sandbox.connection import Connection


class Stopped(Exception):  # noqa: N818  # reads as what happened
    """The sandbox stops; what waited goes no further."""


class Waits:
    """Late steps and held connections."""

    def __init__(self) -> None:
        self._sleeping: set[asyncio.Future[None]] = set()
        self._held: set[Connection] = set()
        self._stopped = False

    async def sleep(self, seconds: float) -> None:
        """Wait; 0 seconds are no wait at all.

        Raises:
            Stopped: the sandbox stopped meanwhile.
        """
        if self._stopped:
            raise Stopped
        if seconds <= 0:
            return
        loop = asyncio.get_running_loop()
        sleeping: asyncio.Future[None] = loop.create_future()
        self._sleeping.add(sleeping)
        handle = loop.call_later(seconds, _wake, sleeping)
        try:
            await sleeping
        finally:
            handle.cancel()
            self._sleeping.discard(sleeping)

    async def hold(self, connection: Connection) -> None:
        """Keep a connection open until the client hangs up, or the sandbox lets go of it."""
        if self._stopped:
            connection.abort()
        self._held.add(connection)
        try:
            await connection.gone.wait()
        finally:
            self._held.discard(connection)

    def release(self) -> None:
        """Close all held connections."""
        for connection in list(self._held):
            connection.abort()

    def stop(self) -> None:
        """End every wait, now and from now on."""
        self._stopped = True
        self.release()
        for sleeping in self._sleeping:
            if not sleeping.done():
                sleeping.set_exception(Stopped())


def _wake(sleeping: asyncio.Future[None]) -> None:
    if not sleeping.done():
        sleeping.set_result(None)
