"""The ledger: what really happened, one entry for each request, for a client's story to be compared with.

Access tokens never come in here: an entry has no field for a path, a query string or a header.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum


class Ending(StrEnum):
    """How a request ended, seen from the server."""

    OPEN = "open"  # not yet ended
    ANSWERED = "answered"  # an answer was written to a connection that was still up
    RESET = "reset"  # the connection was reset to order
    HELD = "held"  # no answer to order; the client hung up, or the sandbox stopped
    GONE = "gone"  # the client hung up before there was an answer, or before the request was whole


@dataclass(slots=True, eq=False)
class Entry:
    """One request.

    Attributes:
        number: counted from 1 in the order of arrival.
        connection: number of the TCP connection it came over; equal numbers are one kept-alive connection.
        method: HTTP method.
        arrived_at: Unix seconds.
        version: Graph version asked for, None for none.
        edge: ``messages``, or whatever else the path named; ``thread`` or ``message`` where it named one of these.
        page: the page whose token it bore; None where the token was refused.
        recipient: the recipient object as given.
        conversation: key of (page, recipient), ``PAGE/kind:value``.
        step: ``message`` or the sender action; ``read`` for a look in a conversation, ``upload`` for an upload ahead.
        text: the message's text.
        metadata: the message's metadata.
        parameters: the Send API's parameters as given, recipient aside.
        delivered: whether the step took effect: the message arrived, the bubble showed.
        delivery: counted from 1 in the order of taking effect, across everything.
        committed_at: when it took effect, Unix seconds.
        message_id: of a delivered message, even where the answer withheld it.
        fetched: the addresses of media that Meta would have fetched for it.
        ending: how the request ended.
        answered_at: when the answer was written, Unix seconds; None without one.
        http_status: of the answer.
        error_code: Graph's code in the answer.
        error_subcode: Graph's subcode in the answer.
        fbtrace_id: of the answer.
        rule: number of the fault rule that hit it.
    """

    number: int
    connection: int
    method: str
    arrived_at: float
    version: str | None = None
    edge: str | None = None
    page: str | None = None
    recipient: Mapping[str, object] | None = None
    conversation: str | None = None
    step: str | None = None
    text: str | None = None
    metadata: str | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)
    delivered: bool = False
    delivery: int | None = None
    committed_at: float | None = None
    message_id: str | None = None
    fetched: Sequence[str] = ()
    ending: Ending = Ending.OPEN
    answered_at: float | None = None
    http_status: int | None = None
    error_code: int | None = None
    error_subcode: int | None = None
    fbtrace_id: str | None = None
    rule: int | None = None

    def as_json(self) -> dict[str, object]:
        """The entry for a JSON answer; times in Unix seconds."""
        return {name: getattr(self, name) for name in _FIELDS}


_FIELDS = tuple(item.name for item in fields(Entry))


# The bodies of so many answers are kept, each up to so many bytes: to be looked at, while the rest is to be counted.
ANSWERS_KEPT = 1000
ANSWER_BYTES = 4000


def _nobody(entry: Entry) -> None:
    """Take no notice."""


class Ledger:
    """All entries since the last reset, in order of arrival and in order of delivery.

    Args:
        watch: is told of each entry of which something became known.
    """

    def __init__(self, watch: Callable[[Entry], None] = _nobody) -> None:
        self._watch = watch
        self._answers: list[tuple[int, bytes]] = [(0, b"")] * ANSWERS_KEPT
        self.entries: list[Entry] = []
        self.deliveries: list[Entry] = []
        self._waiting: set[asyncio.Future[None]] = set()
        self._closed = False

    def arrive(self, connection: int, method: str, now: float) -> Entry:
        """Open the entry of a request."""
        entry = Entry(len(self.entries) + 1, connection, method, now)
        self.entries.append(entry)
        return entry

    def commit(self, entry: Entry, now: float, message_id: str | None) -> None:
        """Record that the step took effect. No await comes between the check and this: it is one instant."""
        self.deliveries.append(entry)
        entry.delivered = True
        entry.delivery = len(self.deliveries)
        entry.committed_at = now
        entry.message_id = message_id
        self.noted(entry)

    def end(self, entry: Entry, ending: Ending) -> None:
        """Record how the request ended."""
        entry.ending = ending
        self.noted(entry)

    def noted(self, entry: Entry) -> None:
        """Something became known of a request."""
        self._watch(entry)
        self.tell()

    def answered(self, entry: Entry, body: bytes) -> None:
        """Keep the beginning of an answer for a while."""
        self._answers[entry.number % ANSWERS_KEPT] = (entry.number, body[:ANSWER_BYTES])

    def answer_to(self, entry: Entry) -> str | None:
        """The beginning of the answer to a request; None if there was none, or it is no longer kept."""
        number, body = self._answers[entry.number % ANSWERS_KEPT]
        return body.decode("utf-8", "replace") if number == entry.number else None

    def close(self) -> None:
        """Send those away who wait for a change; nobody waits from now on."""
        self._closed = True
        self.tell()

    async def changed(self, timeout_seconds: float) -> bool:
        """Wait for the next change of any entry; False once the time is up, or the ledger closed."""
        if self._closed:
            return False
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        try:
            await asyncio.wait_for(waiting, timeout_seconds)
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(waiting)
        return True

    def tell(self) -> None:
        """Wake those who wait for a change of any entry."""
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self._waiting.clear()
