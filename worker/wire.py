"""One HTTP/1.1 exchange on a connected socket, with one deadline for all of it.

Strict on purpose: an answer that is not plainly whole and well formed is no answer. A time-out of each read alone would
let a server that sends a byte a minute hold a thread for ever, so what is left of the deadline is set before each.
"""

from __future__ import annotations

import re
import select
import socket
import time
from dataclasses import dataclass

from worker.call_errors import NoAnswerError

ANSWER_LIMIT = 1 << 20  # bytes; Graph's answers are a few hundred
_HEAD_LIMIT = 1 << 16  # bytes
_INTERIM_LIMIT = 8  # answers of status 1xx before the real one
_READ = 1 << 16  # bytes at once
_WRITE = 1 << 16  # bytes at once
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9]\d\d)(?: [^\r\n]*)?")
_HEADER_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?")
_BARE = (204, 304)  # these have no body


@dataclass(frozen=True, slots=True)
class WireAnswer:
    """A whole answer.

    Attributes:
        headers: by name in lower case; of a repeated one the values, joined by commas.
        reusable: whether the connection can be used again.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    reusable: bool


class Wire:
    """A connection, used for one exchange at a time."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._buffer = bytearray()
        self._deadline = 0.0
        self._status: int | None = None
        self.idle_since = 0.0  # monotonic seconds

    def close(self) -> None:
        """Close at once; what the kernel has not sent yet is dropped (SO_LINGER, see transport)."""
        self._socket.close()

    def gone(self) -> bool:
        """Whether an idle connection can be used no more: nobody has asked, so anything to read means its end."""
        waiting = select.poll()
        waiting.register(self._socket, select.POLLIN)
        return bool(waiting.poll(0))

    def exchange(self, request: bytes, deadline: float) -> WireAnswer:
        """Write a request and read its answer.

        Args:
            request: head and body.
            deadline: monotonic seconds by which the whole answer must be here.

        Raises:
            NoAnswerError: after any failure; the connection is of no more use.
        """
        self._deadline, self._status = deadline, None
        try:
            self._write(memoryview(request))
            return self._read_answer()
        except NoAnswerError:
            raise
        except TimeoutError:
            raise self._failed("no whole answer in time") from None
        except OSError as error:
            raise self._failed(f"the connection broke ({type(error).__name__})") from None

    def _failed(self, message: str) -> NoAnswerError:
        return NoAnswerError(message, self._status)

    def _limit(self) -> None:
        """The next step on the socket may take what is left of the deadline."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)

    def _write(self, data: memoryview) -> None:
        while data:
            self._limit()
            data = data[self._socket.send(data[:_WRITE]) :]

    def _fill(self) -> bool:
        """Read some more into the buffer. Returns False at the end of the stream."""
        self._limit()
        data = self._socket.recv(_READ)
        self._buffer += data
        return bool(data)

    def _read_answer(self) -> WireAnswer:
        for _ in range(_INTERIM_LIMIT):
            minor, status, headers = self._read_head()
            if status >= 200:  # noqa: PLR2004  # 1xx goes before the answer
                self._status = status
                body, framed = self._read_body(status, headers)
                closing = "close" in headers.get("connection", "").lower()
                return WireAnswer(status, headers, body, framed and minor == b"1" and not closing and not self._buffer)
        raise self._failed("nothing but interim answers")

    def _read_head(self) -> tuple[bytes, int, dict[str, str]]:
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > _HEAD_LIMIT:
                raise self._failed("the head of the answer is too long")
            if not self._fill():
                raise self._failed("the connection was closed before an answer")
        lines = bytes(self._buffer[:end]).split(b"\r\n")
        del self._buffer[: end + 4]
        first = _STATUS_LINE.fullmatch(lines[0])
        if not first:
            raise self._failed("the answer is not HTTP/1.1")
        headers: dict[str, str] = {}
        for line in lines[1:]:
            before, colon, after = line.partition(b":")
            if not colon or not _HEADER_NAME.fullmatch(before):
                raise self._failed("a header of the answer is malformed")
            name, value = before.decode("ascii").lower(), after.strip(b" \t").decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return first[1], int(first[2]), headers

    def _read_body(self, status: int, headers: dict[str, str]) -> tuple[bytes, bool]:
        """The body, and whether its end was told by anything better than the end of the connection."""
        coding, length = headers.get("transfer-encoding"), headers.get("content-length")
        if status in _BARE:
            return b"", True
        if coding is not None:
            if coding.lower() != "chunked" or length is not None:
                raise self._failed("the length of the answer is not clear")
            return self._read_chunks(), True
        if length is not None:
            if not (length.isascii() and length.isdigit()):
                raise self._failed("the length of the answer is not clear")
            return self._take(self._bounded(int(length[:20]))), True
        while self._fill():
            self._bounded(len(self._buffer))
        return self._take(len(self._buffer)), False

    def _read_chunks(self) -> bytes:
        body = bytearray()
        while True:
            size = _CHUNK.fullmatch(self._line())
            if not size:
                raise self._failed("a chunk of the answer is malformed")
            length = int(size[1], 16)
            if length == 0:
                break
            self._bounded(len(body) + length)
            body += self._take(length)
            if self._take(2) != b"\r\n":
                raise self._failed("a chunk of the answer is malformed")
        trailers = 0
        while line := self._line():
            trailers += len(line)
            if trailers > _HEAD_LIMIT:
                raise self._failed("the trailers of the answer are too long")
        return bytes(body)

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > _HEAD_LIMIT:
                raise self._failed("a line of the answer is too long")
            if not self._fill():
                raise self._failed("the answer broke off")
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def _bounded(self, length: int) -> int:
        if length > ANSWER_LIMIT:
            raise self._failed("the answer is too long")
        return length

    def _take(self, length: int) -> bytes:
        while len(self._buffer) < length:
            if not self._fill():
                raise self._failed("the answer broke off")
        data = bytes(self._buffer[:length])
        del self._buffer[:length]
        return data
