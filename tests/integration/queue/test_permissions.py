"""A user of Redis that may not do what is asked of it."""

from __future__ import annotations

import pytest
import redis

from envoi.errors import QueueUnavailable
from envoi.queue.connection import connect
from envoi.queue.queue import Queue
from envoi.settings import Settings


def test_what_redis_does_not_allow_is_told_in_our_words(redis_client: redis.Redis, redis_url: str) -> None:
    redis_client.acl_setuser("narrow", enabled=True, nopass=True, keys=["*"], commands=["+ping"])
    try:
        with connect(redis_url) as client:
            client.connection_pool.connection_kwargs.update(username="narrow", password="any")
            with pytest.raises(QueueUnavailable, match=r"does not let this user.*evalsha"):
                Queue(client, Settings()).status("x")
    finally:
        redis_client.acl_deluser("narrow")
