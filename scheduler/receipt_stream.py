"""Receipts and signs of life in Redis, on their way to the log."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from envoi.notices import Logged, load
from envoi.queue.connection import translated
from envoi.queue.queue import Queue
from scheduler.lease import Lease

_START = "0-0"  # before every position of a stream


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notice that waits.

    Attributes:
        position: its id in the stream it came by, "<ms>-<n>": tells it from every other.
        text: as the stream has it.
        late: whether it was looked at before, and put off.
        notice: what it says; None: it cannot be read.
    """

    position: str
    text: str
    late: bool
    notice: Logged | None

    @property
    def since(self) -> float:
        """When it came in, seconds since the epoch."""
        return int(self.position.partition("-")[0]) / 1000

    @property
    def member(self) -> str:
        """As the sorted set has it."""
        return f"{self.position} {self.text}"


class ReceiptStream:
    """What waits for the log in one queue.

    Every method raises ``QueueUnavailable`` where Redis does not answer.

    Args:
        queue: whose notices.
        lease: seconds that may lie between two looks before another may handle them.
        clock: seconds since the epoch.

    Attributes:
        lease: the right to handle them.
    """

    def __init__(self, queue: Queue, lease: float, clock: Callable[[], float] = time.time) -> None:
        self._redis = queue.redis
        self._keys = queue.keys
        self.lease = Lease(f"{queue.keys.receipts}:lease", lease)
        self._clock = clock

    def read(self, count: int, wait: float) -> list[Waiting]:
        """The oldest that wait, and those put off whose time has come; none where somebody else handles them.

        Args:
            count: at most so many of each.
            wait: how long to wait for one where there is none, seconds.
        """
        if not self.keep():
            return []
        with translated(), self._redis.pipeline(transaction=False) as pipe:
            pipe.zrangebyscore(self._keys.late, "-inf", self._clock(), start=0, num=count)
            pipe.xread({self._keys.receipts: "0-0"}, count, round(wait * 1000) or None)
            late, read = pipe.execute()
        fresh = read[0][1] if read else []
        found = [_waiting(position, fields.get("n", ""), late=False) for position, fields in fresh]
        for member in late:
            position, _, text = member.partition(" ")
            found.append(_waiting(position, text, late=True))
        return found

    def keep(self) -> bool:
        """Keep the right to handle them. Returns whether it is still ours."""
        return self.lease.hold(self._redis)

    def look(self, conversations: Sequence[str]) -> tuple[set[str], str]:
        """Which conversations have a job without outcome, and the last event of the queue up to now."""
        with translated(), self._redis.pipeline(transaction=False) as pipe:
            for conversation in conversations:
                pipe.exists(self._keys.line(conversation))
            pipe.xrevrange(self._keys.events, count=1)
            *exist, last = pipe.execute()
        busy = {conversation for conversation, there in zip(conversations, exist, strict=True) if there}
        return busy, last[0][0] if last else _START

    def is_logged(self, position: str) -> bool:
        """Whether the log holds every event up to a position: the stream is trimmed behind what is committed."""
        with translated():
            first: Any = self._redis.xrange(self._keys.events, count=1)
        return not first or _order(first[0][0]) > _order(position)

    def finish(self, done: Sequence[Waiting], put_off: Sequence[tuple[Waiting, float]]) -> None:
        """Forget what is done with, and put each of the others off for so many seconds."""
        seen = [one for one in (*done, *(one for one, _ in put_off)) if not one.late]
        over = [one.member for one in done if one.late]
        now = self._clock()
        with translated(), self._redis.pipeline(transaction=True) as pipe:
            if fresh := {one.member: now + seconds for one, seconds in put_off if not one.late}:
                pipe.zadd(self._keys.late, fresh)
            if again := {one.member: now + seconds for one, seconds in put_off if one.late}:
                pipe.zadd(self._keys.late, again, xx=True)  # unless it was erased meanwhile
            if over:
                pipe.zrem(self._keys.late, *over)
            if seen:
                pipe.xdel(self._keys.receipts, *(one.position for one in seen))
            pipe.execute()

    def release(self) -> None:
        """Let another scheduler handle them."""
        self.lease.release(self._redis)


def _waiting(position: str, text: str, *, late: bool) -> Waiting:
    try:
        notice = load(text)
    except (KeyError, TypeError, ValueError):
        notice = None
    return Waiting(position, text, late, notice if isinstance(notice, Logged) else None)


def _order(position: str) -> tuple[int, int]:
    milliseconds, _, number = position.partition("-")
    return int(milliseconds), int(number)
