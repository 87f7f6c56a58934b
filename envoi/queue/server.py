"""Whether a Redis is fit to hold a queue."""

from __future__ import annotations

import redis

from envoi.errors import EnvoiError
from envoi.queue.connection import translated


class UnfitRedis(EnvoiError):  # noqa: N818  # says what is wrong, as its siblings do
    """This Redis would throw jobs away when its memory is full: nothing may run on it."""


def check_server(client: redis.Redis) -> list[str]:
    """See whether a Redis keeps what it is given.

    Returns:
        What an operator should know, one sentence each: jobs would be lost in a crash, or it could not be seen.

    Raises:
        UnfitRedis: it evicts keys, so it would drop jobs without a word.
        QueueUnavailable: it did not answer.
    """
    with translated():
        memory, persistence = client.info("memory"), client.info("persistence")
        policy = memory.get("maxmemory_policy") or _configured(client, "maxmemory-policy")
    warnings = []
    if policy is None:
        warnings.append("This Redis does not tell its maxmemory-policy: see to it that it is noeviction.")
    elif policy != "noeviction":
        raise UnfitRedis(f"Redis has maxmemory-policy {policy} and would drop jobs silently: set it to noeviction")
    if "aof_enabled" not in persistence:
        warnings.append("This Redis does not tell whether its AOF is on: see to it that it is (appendonly yes).")
    elif not persistence["aof_enabled"]:
        warnings.append("The AOF of this Redis is off: jobs are lost when it restarts (set appendonly yes).")
    return warnings


def _configured(client: redis.Redis, name: str) -> str | None:
    """A setting of the server; None where CONFIG GET is forbidden, as some hosted servers have it."""
    try:
        found: dict[str | None, str | None] = client.config_get(name)
    except redis.exceptions.ResponseError:
        return None
    return found.get(name)
