"""Whether a Redis is fit to hold a queue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import redis

from envoi.errors import EnvoiError
from envoi.queue.connection import translated

# 7.0 brought what the scripts of the scheduler need to run on a full Redis (`#!lua flags=allow-oom`).
LEAST_VERSION = (7, 0)
FULL = 0.9  # of the memory that Redis may use: from here on the scheduler has enqueueing refused


class UnfitRedis(EnvoiError):  # noqa: N818  # says what is wrong, as its siblings do
    """This Redis would throw jobs away when its memory is full, or is too old: nothing may start on it."""


class EvictingRedis(UnfitRedis):
    """It would throw jobs away when its memory is full."""


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of a Redis.

    Attributes:
        share: of what it may use, 0 to 1; None: it has no limit.
        policy: what becomes of keys when that is used up; None: it does not tell.
        used: bytes.
        limit: what it may use, bytes; 0: it has no limit.
    """

    share: float | None
    policy: str | None
    used: int = 0
    limit: int = 0

    @property
    def evicts(self) -> bool:
        """Whether keys are dropped then, as far as is known."""
        return self.policy not in {None, "noeviction"}


def memory_of(client: redis.Redis) -> Memory:
    """Look at the memory of a Redis.

    Raises:
        QueueUnavailable: it did not answer.
    """
    with translated():
        found = client.info("memory")
    used, limit = int(found["used_memory"]), int(found.get("maxmemory") or 0)
    return Memory(used / limit if limit else None, found.get("maxmemory_policy"), used, limit)


def check_server(client: redis.Redis) -> list[str]:
    """See whether a Redis keeps what it is given.

    Returns:
        What an operator should know, one sentence each: jobs would be lost in a crash, or it could not be seen.

    Raises:
        EvictingRedis: it would drop jobs without a word.
        UnfitRedis: it cannot run our scripts.
        QueueUnavailable: it did not answer.
    """
    with translated():
        server, memory, persistence = client.info("server"), client.info("memory"), client.info("persistence")
        policy = memory.get("maxmemory_policy") or configured(client, "maxmemory-policy")
        fsync = configured(client, "appendfsync") if persistence.get("aof_enabled") else None
    version = version_of(server)
    if version and version < LEAST_VERSION:
        told, least = (".".join(map(str, one)) for one in (version, LEAST_VERSION))
        raise UnfitRedis(f"Redis {told} is too old: use Redis {least} or newer, or Valkey")
    warnings = []
    if policy is None:
        warnings.append("This Redis does not tell its maxmemory-policy: see to it that it is noeviction.")
    elif policy != "noeviction":
        raise EvictingRedis(f"Redis has maxmemory-policy {policy} and would drop jobs silently: set it to noeviction")
    if "aof_enabled" not in persistence:
        warnings.append("This Redis does not tell whether its AOF is on: see to it that it is (appendonly yes).")
    elif not persistence["aof_enabled"]:
        warnings.append("The AOF of this Redis is off: jobs are lost when it restarts (set appendonly yes).")
    elif fsync == "no":
        warnings.append("This Redis has appendfsync no: a crash of its machine loses jobs (set appendfsync everysec).")
    return warnings


def version_of(info: Mapping[str, Any]) -> tuple[int, ...] | None:
    """The version of Redis that a server is compatible with; Valkey tells one too. None: it does not tell."""
    parts = str(info.get("redis_version") or "").split(".")
    return tuple(map(int, parts)) if all(part.isdecimal() for part in parts) else None


def configured(client: redis.Redis, name: str) -> str | None:
    """A setting of the server; None where CONFIG GET is forbidden, as some hosted servers have it."""
    try:
        found: dict[str | None, str | None] = client.config_get(name)
    except redis.exceptions.ResponseError:
        return None
    return found.get(name)
