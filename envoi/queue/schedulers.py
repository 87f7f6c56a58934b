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
class Led:
    """Work that a scheduler leads, which means that it alone does it.

    Attributes:
        ran: seconds since its last turn ended.
        lag: seconds that the oldest entry it takes out of Redis has waited, 0 where none waits; None: it takes none.
    """

    ran: float | None = None
    lag: float | None = None


@dataclass(frozen=True, slots=True)
class Sign:
    """What a scheduler says of itself.

    Attributes:
        version: of Envoi.
        duties: seconds since the last turn of each duty that did not fail; None: there was none yet.
        troubles: by the part that meets them, the kinds of what is wrong now.
        leads: the work that it leads, by name; None: a version that does not say.
    """

    version: str
    duties: Mapping[str, float | None] = field(default_factory=dict)
    troubles: Mapping[str, list[str]] = field(default_factory=dict)
    leads: Mapping[str, Led] | None = None


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
        fields = _known(Sign, known)
        if fields.get("leads") is not None:
            fields["leads"] = {work: Led(**_known(Led, said)) for work, said in fields["leads"].items()}
        found[name] = (max(0.0, now - float(heard)), Sign(**fields))
    return found


def _known(kind: type[Sign | Led], said: Mapping[str, Any]) -> dict[str, Any]:
    """What this version knows of what another one may have said."""
    return {part: said[part] for part in kind.__dataclass_fields__ if part in said}
