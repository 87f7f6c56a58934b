"""The head of an HTTP/1.1 answer: its status, its headers, and what they say of the body and of the connection."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from worker.call_errors import NoAnswerError

FINAL = 200  # 1xx goes before the answer
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9]\d\d)(?: [^\r\n]*)?")
_HEADER_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_KNOWN_LINE = 200  # bytes of a header line that is remembered: longer ones do not come again
_BARE = (204, 304)


@dataclass(slots=True)
class Head:
    """The head of one answer.

    Attributes:
        minor: of the version, ``b"0"`` or ``b"1"``.
        headers: by name in lower case; of a repeated one the values, joined by commas.
    """

    minor: bytes
    status: int
    headers: dict[str, str]

    @property
    def bare(self) -> bool:
        """Whether an answer of this status has no body."""
        return self.status in _BARE

    @property
    def framed(self) -> bool:
        """Whether the end of the body is told by anything better than the end of the connection."""
        return self.bare or not self.headers.keys().isdisjoint(("transfer-encoding", "content-length"))

    @property
    def stays(self) -> bool:
        """Whether the connection is kept after this answer."""
        said = self.headers.get("connection")
        return self.minor == b"1" and (said is None or "close" not in said.lower())


def read_head(head: bytes) -> Head:
    """Read all that stands before the empty line.

    Raises:
        NoAnswerError: it is not the head of an HTTP/1.1 answer.
    """
    first, *lines = head.split(b"\r\n")
    status = _status(first) if len(first) <= _KNOWN_LINE else _status.__wrapped__(first)
    if not status:
        raise NoAnswerError("the answer is not HTTP/1.1")
    headers: dict[str, str] = {}
    for line in lines:
        field = _field(line) if len(line) <= _KNOWN_LINE else _field.__wrapped__(line)
        if not field:
            raise NoAnswerError("a header of the answer is malformed")
        name, value = field
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return Head(*status, headers)


@lru_cache(64)
def _status(line: bytes) -> tuple[bytes, int] | None:
    """The minor version and the status; None: it is no status line. It and most headers are the same each time."""
    found = _STATUS_LINE.fullmatch(line)
    return (found[1], int(found[2])) if found else None


@lru_cache(512)
def _field(line: bytes) -> tuple[str, str] | None:
    """The name of a header in lower case, and its value; None: it is malformed."""
    before, colon, after = line.partition(b":")
    if not colon or not _HEADER_NAME.fullmatch(before):
        return None
    return before.decode("ascii").lower(), after.strip(b" \t").decode("latin-1")
