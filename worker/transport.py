"""The way to the Graph host: requests with kept-alive connections, which tells "never left" from "may have left".

That difference decides between a retry and an unknown. urllib3 reports a reset during the TLS handshake and a reset
after the request was written alike, so the connection itself says which it was: whatever ends :meth:`connect` ends
before the first byte of a request.
"""

from __future__ import annotations

from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class NeverLeftError(OSError):
    """No connection: nothing of the request was written."""


class _Connection(HTTPConnection):
    def connect(self) -> None:
        try:
            super().connect()
        except Exception as error:
            raise NeverLeftError(str(error)) from error


class _SecureConnection(HTTPSConnection):
    def connect(self) -> None:
        try:
            super().connect()
        except Exception as error:
            raise NeverLeftError(str(error)) from error


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class GraphAdapter(HTTPAdapter):
    """An adapter that never retries by itself and keeps a connection for every call in flight."""

    def __init__(self, connections: int) -> None:
        super().__init__(pool_connections=1, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # urllib3's own arguments
        """Make the pool manager, with connections that say whether they were made."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


def graph_session(connections: int) -> requests.Session:
    """A session for the Graph host; threads may share it.

    ``trust_env`` is off: a ``.netrc`` must not replace the token, and looking for one costs time on every call.
    """
    session = requests.Session()
    session.trust_env = False
    session.max_redirects = 0
    for scheme in ("http://", "https://"):
        session.mount(scheme, GraphAdapter(connections))
    return session


def never_left(error: BaseException) -> bool:
    """Whether an error of a call proves that nothing of the request was written."""
    seen: set[int] = set()
    left: list[BaseException] = [error]
    while left:
        found = left.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        if isinstance(found, NeverLeftError):
            return True
        parts = (*found.args, getattr(found, "reason", None), found.__cause__, found.__context__)
        left += [part for part in parts if isinstance(part, BaseException)]
    return False
