"""Outcomes: what an app is told of the jobs that asked for it with ``on_outcome``.

The script that settles a job appends its outcome to a stream, in the same moment. ``stream:<name>`` is read by the app
itself, with :class:`Outcomes`; for ``celery:<task>`` a scheduler publishes a task message into the app's own broker.
Entries are flat:

    j  job id    s  state    t  when, seconds since the epoch    m  message id    r  recipient id    x  error, JSON
    o  where to, as the job says it, a comma, and the job's key, percent-encoded
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import unquote

from redis.exceptions import ResponseError

from envoi.errors import BadSettings, Problem
from envoi.events import GraphError, load_error
from envoi.fields import OUTCOME_STREAM
from envoi.queue.answers import Answers
from envoi.queue.keys import Keys
from envoi.queue.question import Asking, Plain, command
from envoi.states import State

_GROUP = "envoi"  # one a stream: what is acknowledged is deleted
LONGEST_WAIT = 4.0  # seconds; a connection gives up on a silent Redis after 5


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job. It may come more than once: job id and state tell it from every other.

    Attributes:
        state: ``sent``, ``failed``, ``expired``, ``cancelled`` or ``unknown``; ``sent`` may follow an ``unknown``.
        at: when the job settled, by Redis's clock.
        message_id: Meta's id of the message, where it is sent.
        recipient_id: the recipient as Meta answered it; None where Meta gives none.
        error: why it was not sent, or is unknown.
        key: the job's own.
        position: of the entry in its stream.
        target: where the job wants it told: a stream's name, or ``<task>[@<queue>]``.
    """

    job_id: str
    state: State
    at: datetime
    message_id: str | None
    recipient_id: str | None
    error: GraphError | None
    key: str | None
    position: str
    target: str


def read_outcome(position: str, fields: Mapping[str, str]) -> Outcome:
    """Read one stream entry.

    Raises:
        KeyError, ValueError: it was not written by Envoi's scripts.
    """
    where, _, key = fields["o"].partition(",")
    return Outcome(
        job_id=fields["j"],
        state=State(fields["s"]),
        at=datetime.fromtimestamp(float(fields["t"]), UTC),
        message_id=fields.get("m"),
        recipient_id=fields.get("r"),
        error=load_error(fields["x"]) if "x" in fields else None,
        key=unquote(key) or None,
        position=position,
        target=where.partition(":")[2],
    )


class OutcomeAsks:
    """The questions behind each method of :class:`Outcomes`.

    Raises:
        BadSettings: no stream can have this name.
    """

    def __init__(self, keys: Keys, name: str, consumer: str) -> None:
        if not isinstance(name, str) or not re.fullmatch(OUTCOME_STREAM, name):
            raise BadSettings(Problem("name", "must be 1 to 64 letters, digits, '_', '.' or '-'"))
        self._stream = keys.outcomes(name)
        self._consumer = consumer

    def read(self, count: int, wait: float) -> Asking[list[Outcome]]:
        """See :meth:`Outcomes.read`."""
        return (yield from self._entries("0", count, None)) or (yield from self._entries(">", count, wait))

    def acknowledge(self, outcomes: Sequence[Outcome]) -> Asking[None]:
        """See :meth:`Outcomes.acknowledge`."""
        if outcomes:
            positions = [outcome.position for outcome in outcomes]
            both = ("XACK", self._stream, _GROUP, *positions), ("XDEL", self._stream, *positions)
            yield Plain(both, atomic=True)

    def take_over(self, idle: float) -> Asking[int]:
        """See :meth:`Outcomes.take_over`."""
        yield from self._make_group()
        found = yield from command(
            "XAUTOCLAIM", self._stream, _GROUP, self._consumer, round(idle * 1000), "0-0", "JUSTID"
        )
        return len(found[1])

    def _entries(self, after: str, count: int, wait: float | None) -> Asking[list[Outcome]]:
        block = ("BLOCK", max(1, round(min(wait, LONGEST_WAIT) * 1000))) if wait else ()
        read = ("XREADGROUP", "GROUP", _GROUP, self._consumer, "COUNT", count, *block, "STREAMS", self._stream, after)
        try:
            answer = yield from command(*read)
        except ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
            yield from self._make_group()
            return (yield from self._entries(after, count, wait))
        entries = answer[0][1] if answer else []
        return [read_outcome(position, fields) for position, fields in entries if fields]

    def _make_group(self) -> Asking[None]:
        try:
            yield from command("XGROUP CREATE", self._stream, _GROUP, "0", "MKSTREAM")
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise


class Outcomes:
    """The outcomes of jobs with ``on_outcome="stream:<name>"``, in the order in which the jobs settled.

    Each comes until it is acknowledged, and is deleted then. What nobody reads is kept, up to ``ENVOI_EVENTS_CAP``:
    from there on new jobs of that stream are refused with ``QueueFull``.

    Every method raises ``QueueUnavailable`` where Redis does not answer.

    Args:
        queue: answers for it.
        keys: of the queue.
        name: of the stream.
        consumer: tells several readers of one stream apart. Each has its own unacknowledged outcomes, so there is an
            order among all of them only while there is one reader.

    Raises:
        BadSettings: no stream can have this name.
    """

    def __init__(self, queue: Answers, keys: Keys, name: str, consumer: str = "reader") -> None:
        self._queue = queue
        self._asks = OutcomeAsks(keys, name, consumer)

    def read(self, count: int = 100, wait: float = 0.0) -> list[Outcome]:
        """The oldest outcomes that this reader has not acknowledged; only without any, new ones.

        Args:
            count: at most so many.
            wait: how long to wait for a new one, seconds, at most 4.
        """
        return self._queue.ask(self._asks.read(count, wait))

    def acknowledge(self, *outcomes: Outcome) -> None:
        """These are done with: they do not come again."""
        self._queue.ask(self._asks.acknowledge(outcomes))

    def follow(self, wait: float = LONGEST_WAIT) -> Iterator[Outcome]:
        """Outcomes without end; each is acknowledged when the next one is asked for, and not after an error.

        Args:
            wait: how long one question to Redis waits for a new one, seconds, at most 4.
        """
        while True:
            for outcome in self.read(wait=wait):
                yield outcome
                self.acknowledge(outcome)

    def take_over(self, idle: float) -> int:
        """Take what other readers have not acknowledged for so many seconds: they are gone. Returns how many."""
        return self._queue.ask(self._asks.take_over(idle))
