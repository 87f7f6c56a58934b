"""A lease in Redis: work that only one scheduler does at a time, for as long as it gives signs of life."""

from __future__ import annotations

import math
import secrets

import redis
from redis.client import Pipeline

# Both may run when Redis is full: what is done under a lease makes it emptier.
# KEYS[1] the lease. ARGV: token, milliseconds. Takes it where it is free, keeps it where it is ours. Answers 1 or 0.
_HOLD = """#!lua flags=allow-oom
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
# KEYS[1] the lease. ARGV: token. Gives it back if it is ours.
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
"""


class Lease:
    """The right to one kind of work. Errors are redis-py's own: whoever holds it translates them.

    Args:
        key: its name in Redis.
        seconds: how long it lasts after each sign of life.
    """

    def __init__(self, key: str, seconds: float) -> None:
        self._key = key
        self._milliseconds = math.ceil(seconds * 1000)
        self._token = secrets.token_hex(8)  # tells this holder from every other

    def hold(self, client: redis.Redis | Pipeline) -> bool:
        """Take it, or keep it. Returns whether it is ours; in a pipeline the answer comes later, as 1 or 0."""
        return bool(client.eval(_HOLD, 1, self._key, self._token, self._milliseconds))

    def release(self, client: redis.Redis) -> None:
        """Give it back, if it is ours."""
        client.eval(_RELEASE, 1, self._key, self._token)
