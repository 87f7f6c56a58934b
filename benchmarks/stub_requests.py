"""Requests to the Graph stub: what the head of one says, and where one ends in the bytes of its connection."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

_HEAD_END = b"\r\n\r\n"
_HEADS = 10_000  # that are kept: a peer has a few hundred, by pages and lengths of bodies


@dataclass(frozen=True, slots=True)
class Head:
    """What the head of a request says.

    Attributes:
        method: ``GET`` or ``POST``, or another.
        path: without the query.
        length: bytes of its body.
        page: of a call with a token, the id of the page that sends; None if it is no such call.
        has_token: whether an access token is in the query or in a header.
    """

    method: bytes
    path: str
    length: int
    page: str | None
    has_token: bool


@lru_cache(maxsize=_HEADS)
def read_head(head: bytes) -> Head:
    """Read a head. Those of a peer's calls are alike, so what one says is looked up where it has come before.

    Raises:
        ValueError: its body comes in chunks, or the length is no number, or there is no request line.
    """
    lower = head.lower()
    if b"\r\ntransfer-encoding:" in lower:
        raise ValueError("the stub takes no chunked bodies")
    _, found, rest = lower.partition(b"\r\ncontent-length:")
    method, target, _ = head.split(b"\r\n", 1)[0].split(b" ", 2)
    path = target.partition(b"?")[0].decode()
    has_token = b"access_token=" in target or b"authorization: bearer " in lower
    is_call = has_token and method == b"POST" and path.endswith("/messages")
    return Head(
        method=method,
        path=path,
        length=int(rest.split(b"\r\n", 1)[0]) if found else 0,
        page=path.split("/")[-2] if is_call else None,
        has_token=has_token,
    )


class Inbox:
    """What has come in on one kept-alive HTTP/1.1 connection of a request that is not whole yet."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = b""

    def take(self, data: bytes) -> list[tuple[Head, bytes]]:
        """Head and body of each request that is whole with these bytes.

        Raises:
            ValueError: see :func:`read_head`.
        """
        if self._left:
            data = self._left + data
        found = []
        while (end := data.find(_HEAD_END)) >= 0:
            head = read_head(data[:end])
            body = data[end + 4 :]
            more = len(body) - head.length
            if more == 0:  # as nearly always: nobody asks again before the answer
                self._left = b""
                found.append((head, body))
                return found
            if more < 0:
                break
            found.append((head, body[: head.length]))
            data = body[head.length :]
        self._left = data
        return found
