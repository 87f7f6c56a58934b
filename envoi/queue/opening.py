"""The queue that an address names."""

from __future__ import annotations

from envoi.errors import BadSettings, Problem
from envoi.queue.connection import connect
from envoi.queue.queue import Queue
from envoi.settings import settings

BAD_ADDRESS = Problem("redis_url", "must be a Redis address such as redis://127.0.0.1:6379/0 (ENVOI_REDIS_URL)")


def open_queue(redis_url: str | None = None) -> Queue:
    """The queue itself, for those who do more than send. Nothing is connected yet.

    Args:
        redis_url: where it is; without it ``ENVOI_REDIS_URL`` is read.

    Raises:
        BadSettings: names every setting that is malformed.
    """
    found = settings()
    try:
        return Queue(connect(redis_url or found.redis_url), found)
    except (AttributeError, TypeError, ValueError):
        # Not redis-py's own words: they may repeat the address, password and all.
        bad = BAD_ADDRESS
    raise BadSettings(bad)
