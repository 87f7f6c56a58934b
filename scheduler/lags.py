"""Lags: how long the oldest entry of each stream waits for the work that takes entries out of it."""

from __future__ import annotations

from envoi.queue.connection import translated
from envoi.queue.queue import Queue


def read_lags(queue: Queue) -> dict[str, float]:
    """Seconds by the name of the work, by Redis's clock; 0 where nothing waits. One trip, one entry of each stream.

    Raises:
        QueueUnavailable: Redis did not answer.
    """
    keys = queue.keys
    streams = {
        "log_writer": keys.events,
        "webhooks": keys.told,
        "receipts": keys.receipts,
        "outcomes": keys.tasks,
    }
    with translated(), queue.redis.pipeline(transaction=False) as pipe:
        pipe.time()
        for stream in streams.values():
            pipe.xrange(stream, count=1)
        (seconds, micros), *firsts = pipe.execute()
    now = seconds + micros / 1e6
    return {name: _age(first, now) for name, first in zip(streams, firsts, strict=True)}


def _age(first: list[tuple[str, dict[str, str]]], now: float) -> float:
    if not first:
        return 0.0
    milliseconds, _, _ = first[0][0].partition("-")
    return max(0.0, now - int(milliseconds) / 1000)
