"""Reading an HTTP/1.1 answer out of the bytes as they come, whoever brings them.

Strict on purpose: an answer that is not plainly whole and well formed is no answer.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass

from worker.call_errors import NoAnswerError
from worker.http_head import FINAL, Head, read_head

ANSWER_LIMIT = 1 << 20  # bytes; Graph's answers are a few hundred
_HEAD_LIMIT = 1 << 16  # bytes
_INTERIM_LIMIT = 8  # answers of status 1xx before the real one
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?")
_END = b"\r\n\r\n"


@dataclass(slots=True)
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


Bytes = Generator[None, bytes, bytes]  # sent what has come; b"" is the end of the stream


class AnswerReader:
    """Reads one answer after the other from one connection.

    Attributes:
        status: of the answer that is being read, once its head is here.
    """

    def __init__(self) -> None:
        self.status: int | None = None
        self._buffer = bytearray()
        self._reading: Generator[None, bytes, WireAnswer] | None = None

    def restart(self) -> None:
        """The answer to the next request is read from now on."""
        self.status = self._reading = None

    def feed(self, data: bytes) -> WireAnswer | None:
        """Take what has come; empty: the stream has ended. Returns the answer once it is whole.

        Raises:
            NoAnswerError: these bytes are no answer.
        """
        if self._reading is None:
            if not self._buffer and (whole := self._at_once(data)):
                return whole
            self._reading = self._read()
            next(self._reading)
        try:
            self._reading.send(data)
        except StopIteration as end:
            answer: WireAnswer = end.value
            return answer
        return None

    def _at_once(self, data: bytes) -> WireAnswer | None:
        """The usual answer: small, of a told length, and all of it came together. None: it is not of that kind."""
        end = data.find(_END)
        if end < 0:
            return None
        head, body = read_head(data[:end]), data[end + 4 :]
        if head.status < FINAL or head.bare or "transfer-encoding" in head.headers:
            return None
        if head.headers.get("content-length") != str(len(body)):
            return None
        self.status = head.status
        return WireAnswer(head.status, head.headers, body, head.stays)

    def _failed(self, message: str) -> NoAnswerError:
        return NoAnswerError(message, self.status)

    def _read(self) -> Generator[None, bytes, WireAnswer]:
        for _ in range(_INTERIM_LIMIT):
            head = yield from self._read_head()
            if head.status >= FINAL:
                self.status = head.status
                body = yield from self._read_body(head)
                reusable = head.framed and head.stays and not self._buffer
                return WireAnswer(head.status, head.headers, body, reusable)
        raise self._failed("nothing but interim answers")

    def _read_head(self) -> Generator[None, bytes, Head]:
        while (end := self._buffer.find(_END)) < 0:
            if len(self._buffer) > _HEAD_LIMIT:
                raise self._failed("the head of the answer is too long")
            if not (yield from self._fill()):
                raise self._failed("the connection was closed before an answer")
        return read_head(bytes(self._take_out(end, len(_END))))

    def _read_body(self, head: Head) -> Bytes:
        coding, length = head.headers.get("transfer-encoding"), head.headers.get("content-length")
        if head.bare:
            return b""
        if coding is not None:
            if coding.lower() != "chunked" or length is not None:
                raise self._failed("the length of the answer is not clear")
            return (yield from self._read_chunks())
        if length is not None:
            if not (length.isascii() and length.isdigit()):
                raise self._failed("the length of the answer is not clear")
            return (yield from self._take(self._bounded(int(length[:20]))))
        while (yield from self._fill()):
            self._bounded(len(self._buffer))
        return (yield from self._take(len(self._buffer)))

    def _read_chunks(self) -> Bytes:
        body = bytearray()
        while True:
            size = _CHUNK.fullmatch((yield from self._line()))
            if not size:
                raise self._failed("a chunk of the answer is malformed")
            length = int(size[1], 16)
            if length == 0:
                break
            self._bounded(len(body) + length)
            body += yield from self._take(length)
            if (yield from self._take(2)) != b"\r\n":
                raise self._failed("a chunk of the answer is malformed")
        trailers = 0
        while line := (yield from self._line()):
            trailers += len(line)
            if trailers > _HEAD_LIMIT:
                raise self._failed("the trailers of the answer are too long")
        return bytes(body)

    def _line(self) -> Bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > _HEAD_LIMIT:
                raise self._failed("a line of the answer is too long")
            if not (yield from self._fill()):
                raise self._failed("the answer broke off")
        return self._take_out(end, 2)

    def _take(self, length: int) -> Bytes:
        while len(self._buffer) < length:
            if not (yield from self._fill()):
                raise self._failed("the answer broke off")
        return self._take_out(length, 0)

    def _take_out(self, length: int, end: int) -> bytes:
        data = bytes(self._buffer[:length])
        del self._buffer[: length + end]
        return data

    def _fill(self) -> Generator[None, bytes, bool]:
        """Wait for more. Returns False at the end of the stream."""
        data = yield
        self._buffer += data
        return bool(data)

    def _bounded(self, length: int) -> int:
        if length > ANSWER_LIMIT:
            raise self._failed("the answer is too long")
        return length
