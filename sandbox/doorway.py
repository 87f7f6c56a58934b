"""The listening socket, and the times in which it is shut: connections are refused, as by a host that is down."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable


class Doorway:
    """Where connections come in.

    A client may have connections open when the door is shut. Each is closed by the answer to its next request, so that
    whatever comes after that is refused, and no request is cut off: a refused one never left its client.
    """

    def __init__(self) -> None:
        self._listener: asyncio.Server | None = None
        self._address: tuple[str, int] = ("", 0)
        self._protocol: Callable[[], asyncio.Protocol] | None = None
        self._opening: asyncio.Task[None] | None = None

    @property
    def shut(self) -> bool:
        """Whether connections are refused now."""
        return self._opening is not None

    def opened(self, listener: asyncio.Server, protocol: Callable[[], asyncio.Protocol]) -> None:
        """The server listens; each connection gets a protocol of this kind."""
        host, port = listener.sockets[0].getsockname()[:2]
        self._listener, self._address, self._protocol = listener, (host, port), protocol

    def refuse(self, seconds: float) -> None:
        """Refuse connections for so long. While it is shut already, that time goes on."""
        if self._opening is None and self._listener is not None:
            self._listener.close()
            self._opening = asyncio.get_running_loop().create_task(self._open_after(seconds))

    async def _open_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if self._protocol is None or self._listener is None:
            raise RuntimeError("shut before it was opened")
        loop = asyncio.get_running_loop()
        anew = await loop.create_server(self._protocol, sock=listen(*self._address))
        self.opened(anew, self._protocol)
        self._opening = None

    def close(self) -> None:
        """Close for good."""
        if self._opening is not None:
            self._opening.cancel()
        if self._listener is not None:
            self._listener.close()


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
