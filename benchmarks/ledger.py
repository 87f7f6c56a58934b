"""The stub's ledger as the harness reads it."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Entry:
    """One call that the stub accepted.

    Attributes:
        at: Unix seconds of taking effect.
        page: the sending page's id.
        recipient: the person's id.
        step: ``typing_on``, ``message`` or ``typing_off``.
        text: of a message.
    """

    at: float
    page: str
    recipient: str
    step: str
    text: str | None = None


class StubRefusedError(Exception):
    """The stub refused calls of a peer: then the peer, or the stub, is not what the benchmark is about."""


def read_ledger(url: str) -> list[Entry]:
    """Everything that the stub accepted, in that order.

    Raises:
        StubRefusedError: it refused some calls.
    """
    found = _get(url, "/ledger")
    if found["refused"]:
        raise StubRefusedError(f"the stub refused calls: {found['refused']}")
    return [Entry(*entry) for entry in found["entries"]]


def count_messages(url: str) -> int:
    """How many messages the stub has accepted."""
    return int(_get(url, "/count")["messages"])


def _get(url: str, path: str) -> Any:  # noqa: ANN401  # JSON
    connection = http.client.HTTPConnection(str(urlsplit(url).netloc), timeout=60)
    try:
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()
