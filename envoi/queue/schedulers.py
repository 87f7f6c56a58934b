"""The register of schedulers: which there are, when each was last heard of, and how it fares."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import redis

from envoi.queue.connection import translated
from envoi.queue.keys import Keys

FORGOTTEN = 3600.0  # seconds after its last sign of life that a scheduler is still in the register

# May run when Redis is full: a scheduler that is there must not look dead. No part of the scripts that the gate loads:
# signs of life are given while it is shut too.
# KEYS[1] the register. ARGV: name, what it says of itself, JSON; how long those gone are remembered, seconds.
# Bound: O(schedulers).
_SIGN = """#!lua flags=allow-oom
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1e6
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.6f ', now) .. ARGV[2])
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local heard = tonumber(string.match(all[i + 1], '^%S+')) or 0
  if heard < now - tonumber(ARGV[3]) then
    redis.call('HDEL', KEYS[1], all[i])
  end
end
"""


@dataclass(frozen=True, slots=True)
class Sign:
    """What a scheduler says of itself.

    Attributes:
        version: of Envoi.
        duties: seconds since the last turn of each duty that did not fail; None: there was none yet.
        troubles: by the part that meets them, the kinds of what is wrong now.
    """

    version: str
    duties: Mapping[str, float | None] = field(default_factory=dict)
    troubles: Mapping[str, list[str]] = field(default_factory=dict)


def give_sign(client: redis.Redis, keys: Keys, name: str, sign: Sign) -> None:
    """A scheduler lives.

    Raises:
        QueueUnavailable: Redis did not answer.
    """
    with translated():
        client.eval(_SIGN, 1, keys.schedulers, name, json.dumps(asdict(sign)), FORGOTTEN)


def read_signs(register: Mapping[str, str], now: float) -> dict[str, tuple[float, Sign]]:
    """By name, seconds since each scheduler was last heard of, and what it said.

    Args:
        register: the hash as it stands.
        now: by Redis's clock, seconds since the epoch.
    """
    found = {}
    for name, text in register.items():
        heard, _, said = text.partition(" ")
        known: dict[str, Any] = json.loads(said)
        fields = {part: known[part] for part in Sign.__dataclass_fields__ if part in known}  # of another version too
        found[name] = (max(0.0, now - float(heard)), Sign(**fields))
    return found
