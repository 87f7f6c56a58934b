"""The way to the Graph host: an adapter for requests that tells "never left" from "may have left".

That difference decides between a retry and an unknown, and urllib3 cannot always say: it reports a reset during the TLS
handshake and one after the request was written alike. So connections are made and used here: whatever fails before the
first byte of a request is written raises ``NeverLeftError`` (worker/call_errors.py), all else ``NoAnswerError``.
Nothing is ever tried twice, no redirect followed, no proxy or ``.netrc`` of the environment taken.

A kept-alive connection that the server has closed in the very moment we write leaves an unknown: the bytes may have
been read. To make that rare, a connection is looked at before it is used again, and not used after some seconds idle.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from worker.call_errors import NeverLeftError, NoRightError
from worker.dialing import Dialer, Host
from worker.http_answer import WireAnswer
from worker.wire import Wire

IDLE = 4.0  # seconds: below the 5 after which common servers close; Meta's are not published


class GraphRequest(requests.PreparedRequest):
    """A POST or a GET, ready to send.

    Args:
        url: its address, without the token.
        headers: with the token.
        body: JSON; empty for a GET.
        may_start: asked when the connection stands, right before the first byte is written.
        method: what is done.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        may_start: Callable[[], bool],
        method: Literal["POST", "GET"] = "POST",
    ) -> None:
        super().__init__()
        self.method, self.url, self.body = method, url, body
        self.headers = CaseInsensitiveDict(headers)
        self.may_start = may_start


class GraphAdapter(BaseAdapter):
    """Sends requests over kept-alive connections, one for each call in flight. Threads may share it.

    Args:
        connections: so many idle ones are kept at most.
    """

    def __init__(self, connections: int) -> None:
        super().__init__()
        self._most = connections
        self._idle: dict[Host, list[Wire]] = {}  # the longest idle first
        self._lock = threading.Lock()
        self._dialer = Dialer()

    def send(  # noqa: PLR0917  # the interface of requests
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: object = None,
        proxies: object = None,
    ) -> requests.Response:
        """Send a request and read its whole answer.

        Args:
            request: a :class:`GraphRequest`.
            timeout: seconds to connect (TLS included), and seconds from then on until the whole answer is here.
            stream: not used: the answer is always read as a whole.
            verify: not used: certificates are always verified.
            cert: not used.
            proxies: not used.

        Raises:
            NeverLeftError: nothing was written; ``NoRightError``: nor was it tried.
            NoAnswerError: something may have been written, and no whole answer came.
        """
        del stream, verify, cert, proxies
        if not isinstance(request, GraphRequest) or not isinstance(timeout, tuple) or timeout[1] is None:
            raise TypeError("a GraphRequest and both time-outs are needed")
        host, data = written(request)
        wire = self.take(host) or self._dialer.dial(host, timeout[0])
        if not request.may_start():
            self.give_back(host, wire)
            raise NoRightError("the right to make the call ran out before it")
        try:
            answer = wire.exchange(data, time.monotonic() + timeout[1])
        except BaseException:
            wire.close()
            raise
        if answer.reusable:
            self.give_back(host, wire)
        else:
            wire.close()
        return _response(request, answer)

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            left = [wire for idle in self._idle.values() for wire in idle]
            self._idle.clear()
        for wire in left:
            wire.close()

    def take(self, host: Host) -> Wire | None:
        """A connection that can be used again: the one idle the shortest time; the old ones are closed."""
        useless: list[Wire] = []
        found = None
        with self._lock:
            idle = self._idle.get(host, [])
            oldest = time.monotonic() - IDLE
            while idle and idle[0].idle_since < oldest:
                useless.append(idle.pop(0))
            while idle and found is None:
                wire = idle.pop()
                if wire.gone():
                    useless.append(wire)
                else:
                    found = wire
        for wire in useless:
            wire.close()
        return found

    def give_back(self, host: Host, wire: Wire) -> None:
        """A connection that is idle now."""
        wire.idle_since = time.monotonic()
        with self._lock:
            idle = self._idle.setdefault(host, [])
            idle.append(wire)
            surplus = idle.pop(0) if len(idle) > self._most else None
        if surplus:
            surplus.close()


def written(request: GraphRequest) -> tuple[Host, bytes]:
    """Where a request goes, and its bytes.

    Raises:
        NeverLeftError: it cannot be written.
    """
    try:
        parts = urlsplit(str(request.url))
        host = (parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}[parts.scheme])
    except (ValueError, KeyError):
        raise NeverLeftError("the address of the Graph API is malformed") from None
    body = request.body if isinstance(request.body, bytes) else b""
    at = parts.netloc.rpartition("@")[2]
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    lines = [f"{request.method} {target} HTTP/1.1", f"Host: {at}"]
    if request.method != "GET":
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    if not all(line.isascii() and line.isprintable() for line in lines):  # it would break out of its line
        raise NeverLeftError("a line of the request has characters that it may not have")
    return host, "\r\n".join([*lines, "", ""]).encode("ascii") + body


def _response(request: GraphRequest, answer: WireAnswer) -> requests.Response:
    response = requests.Response()
    response.status_code, response.url, response.request = answer.status, str(request.url), request
    response.headers = CaseInsensitiveDict(answer.headers)
    body: Any = answer.body
    response._content = body  # noqa: SLF001  # read already: there is no stream behind it
    response.encoding = "utf-8"
    return response
