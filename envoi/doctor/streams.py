"""Streams that somebody should be reading: of events, and of outcomes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from envoi.queue.connection import translated
from envoi.queue.queue import Queue

_SCAN = 1.0  # seconds that apps' streams are searched for among all keys


@dataclass(frozen=True, slots=True)
class Backlog:
    """A stream that somebody should be reading.

    Attributes:
        entries: how many wait.
        age: seconds since the oldest was appended.
    """

    entries: int
    age: float


def app_streams(queue: Queue) -> tuple[list[str], bool]:
    """The streams that apps read outcomes from, as far as they are found in a second; and whether that is all."""
    prefix, found, cursor, until = queue.keys.outcomes(""), set(), 0, time.monotonic() + _SCAN
    while True:
        with translated():
            cursor, names = queue.redis.scan(cursor, match=f"{prefix}*", count=1000, _type="stream")
        found |= {str(name).removeprefix(prefix) for name in names}
        if cursor == 0 or time.monotonic() > until:
            return sorted(found), cursor == 0


def read_backlogs(queue: Queue, streams: Sequence[str], now: float) -> list[Backlog]:
    """How much waits in each of these streams at a time by Redis's clock; a stream that is not there holds nothing."""
    with translated(), queue.redis.pipeline(transaction=False) as pipe:
        for stream in streams:
            pipe.xlen(stream)
            pipe.xrange(stream, count=1)
        answers = pipe.execute()
    found = []
    for length, oldest in zip(answers[::2], answers[1::2], strict=True):
        age = now - int(oldest[0][0].partition("-")[0]) / 1e3 if oldest else 0.0
        found.append(Backlog(length, max(0.0, age)))
    return found
