"""A small HTTP client over asyncio's streams: what the sandbox calls others with."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

MAX_ANSWER_BYTES = 64 * 1024


class NoAnswer(Exception):  # noqa: N818  # reads as what happened
    """The other side gave no answer that could be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What the other side answered."""

    status: int
    body: bytes


class Caller:
    """One connection at a time to one address, kept alive from call to call."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def call(
        self, method: str, headers: Mapping[str, str], body: bytes, seconds: float, query: str = ""
    ) -> Answered:
        """Make one call.

        Args:
            method: HTTP method.
            headers: besides those of HTTP itself.
            body: as it is.
            seconds: for all of it.
            query: behind the address's own.

        Raises:
            NoAnswer: there was none in time, or no HTTP.
        """
        kept = self._streams is not None
        try:
            async with asyncio.timeout(seconds):
                try:
                    return await self._call(method, headers, body, query)
                except (OSError, EOFError):
                    if not kept:
                        raise
                    # A server may close a connection that was kept alive at any time: that is no failure yet.
                    self.close()
                    return await self._call(method, headers, body, query)
        except TimeoutError as error:
            self.close()
            raise NoAnswer(f"no answer within {seconds:g} s") from error
        except (OSError, EOFError, ValueError, IndexError, asyncio.LimitOverrunError) as error:
            self.close()
            raise NoAnswer(f"{type(error).__name__}: {error}") from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed already, and with it the connection
                self._streams[1].close()
            self._streams = None

    async def _call(self, method: str, headers: Mapping[str, str], body: bytes, query: str) -> Answered:
        reader, writer = self._streams = self._streams or await self._connect()
        writer.write(self._head(method, headers, len(body), query) + body)
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split(" ")[1])
        fields = dict(_field(line) for line in head[1:] if line)
        length = fields.get("content-length")
        if length is None and fields.get("connection", "").lower() == "close" and "transfer-encoding" not in fields:
            answer = await _rest(reader)  # it ends with the connection
            self.close()
            return Answered(status, answer)
        if length is None or int(length) > MAX_ANSWER_BYTES:
            # Chunked, or long: not worth reading for a webhook, whose status says all.
            self.close()
            return Answered(status, b"")
        answer = await reader.readexactly(int(length))
        if fields.get("connection", "").lower() == "close":
            self.close()
        return Answered(status, answer)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        secure = self._parts.scheme == "https"
        port = self._parts.port or (443 if secure else 80)
        return await asyncio.open_connection(self._parts.hostname, port, ssl=secure or None, limit=MAX_ANSWER_BYTES)

    def _head(self, method: str, headers: Mapping[str, str], length: int, query: str) -> bytes:
        asked = "&".join(part for part in (self._parts.query, query) if part)
        target = (self._parts.path or "/") + (f"?{asked}" if asked else "")
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self._parts.netloc.rpartition('@')[2]}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, f"Content-Length: {length}", "", ""]).encode("latin-1")


async def _rest(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the other side hangs up, as far as it is worth reading."""
    read = b""
    while len(read) < MAX_ANSWER_BYTES and (more := await reader.read(MAX_ANSWER_BYTES - len(read))):
        read += more
    return read


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()
