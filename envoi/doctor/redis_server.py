"""The Redis itself: version, eviction, persistence, memory, latency, clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

import redis

from envoi.doctor.clocks import agreement, trip
from envoi.doctor.finding import Check, Finding, bad, graded, listed, ok, unknown, warn
from envoi.queue.connection import translated
from envoi.queue.server import FULL, LEAST_VERSION, configured, version_of

_PINGS = 9
_SLOW = (0.005, 0.1)  # seconds a round trip: every step of every job takes a share of one
_NEARLY = 0.75  # of the memory that Redis may use
_WRITES = ("aof_last_write_status", "aof_last_bgrewrite_status")
_LATE_SYNC = 30.0  # seconds that Linux may keep what nobody asked it to write down


@dataclass(frozen=True, slots=True)
class RedisFacts:
    """What a Redis says of itself.

    Attributes:
        info: ``INFO``, all sections.
        policy: ``maxmemory-policy``; None: it does not tell.
        fsync: ``appendfsync``; None: it does not tell.
        trips: seconds that each of some round trips took.
        ahead: seconds by which its clock is ahead of this host's.
        loss_bound: what a restart may lose at most, as the settings have it, seconds.
    """

    info: Mapping[str, Any]
    policy: str | None
    fsync: str | None
    trips: tuple[float, ...]
    ahead: float
    loss_bound: float


def read_redis(client: redis.Redis, loss_bound: float) -> RedisFacts:
    """Ask a Redis.

    Raises:
        QueueUnavailable: it did not answer.
    """
    with translated():
        info = client.info("everything")
        trips = [trip(lambda: _time(client)) for _ in range(_PINGS)]
        policy = info.get("maxmemory_policy") or configured(client, "maxmemory-policy")
        took = tuple(one.took for one in trips)
        return RedisFacts(info, policy, configured(client, "appendfsync"), took, min(trips).ahead, loss_bound)


def _time(client: redis.Redis) -> float:
    seconds, micros = client.time()
    return float(seconds) + micros / 1e6


def check_reachable(facts: RedisFacts) -> Finding:
    """Whether it takes writes."""
    role = facts.info.get("role", "master")
    if role != "master":
        return bad(f"it is a {role}: it takes no writes", "set ENVOI_REDIS_URL to the primary")
    name = "Valkey" if "valkey_version" in facts.info else "Redis"
    return ok(f"{name} {facts.info.get('valkey_version') or facts.info.get('redis_version', '?')} answers")


def check_version(facts: RedisFacts) -> Finding:
    """Whether it can run our scripts."""
    version = version_of(facts.info)
    least = ".".join(map(str, LEAST_VERSION))
    if version is None:
        return unknown("it does not tell its version", f"see to it that it is {least} or newer")
    if version < LEAST_VERSION:
        told = ".".join(map(str, version))
        return bad(f"version {told} is too old", f"use Redis {least} or newer, or Valkey 7.2 or newer")
    return ok(f"compatible with Redis {'.'.join(map(str, version))}; {least} or newer is needed")


def check_eviction(facts: RedisFacts) -> Finding:
    """Whether it drops keys when its memory is full."""
    advice = "set maxmemory-policy to noeviction, in its configuration too, and use this Redis for nothing else"
    if facts.policy is None:
        return unknown("it does not tell its maxmemory-policy", "see to it that it is noeviction")
    if facts.policy != "noeviction":
        return bad(f"maxmemory-policy is {facts.policy}: a full Redis would drop jobs silently", advice)
    if dropped := int(facts.info.get("evicted_keys") or 0):
        text = f"maxmemory-policy is noeviction now, and {dropped} keys were dropped since this Redis started"
        return warn(text, "`envoi recover --missing` finds jobs that were lost with them")
    return ok("maxmemory-policy is noeviction")


def check_persistence(facts: RedisFacts) -> Finding:
    """What a restart would lose."""
    enabled = facts.info.get("aof_enabled")
    if enabled is None:
        return unknown("it does not tell whether its AOF is on", "see to it that appendonly is yes")
    if not enabled:
        advice = "set appendonly to yes, and appendfsync to everysec"
        return bad("its AOF is off: every job that waits is lost when it restarts", advice)
    failed = [name for name in _WRITES if facts.info.get(name, "ok") != "ok"]
    if failed:
        return bad(f"it cannot write its AOF ({listed(failed)})", "see its log and its disk")
    return _synced(facts.fsync, facts.loss_bound)


def _synced(fsync: str | None, loss_bound: float) -> Finding:
    """What a crash of the machine would lose of an AOF."""
    if fsync is None:
        return unknown("its AOF is on; it does not tell its appendfsync", "see to it that it is everysec or always")
    if fsync == "no":
        text = f"appendfsync is no: a crash of the machine loses what the kernel kept, some {_LATE_SYNC:.0f} s of jobs"
        return warn(text, f"set it to everysec, or ENVOI_LOSS_BOUND to {_LATE_SYNC:.0f} or more")
    if fsync == "everysec" and loss_bound < 1:
        text = f"appendfsync is everysec, which may lose 1 s, and ENVOI_LOSS_BOUND is {loss_bound:g}"
        return bad(f"{text}: messages may be sent twice after a crash", "set ENVOI_LOSS_BOUND to 2")
    return ok(f"its AOF is on, appendfsync {fsync}")


def check_memory(facts: RedisFacts) -> Finding:
    """How near it is to refusing jobs."""
    used, limit = int(facts.info.get("used_memory") or 0), int(facts.info.get("maxmemory") or 0)
    if not limit:
        advice = "set maxmemory below what the machine has: enqueueing is then refused in time, and Redis is not killed"
        return warn(f"{_size(used)} used, and maxmemory is not set", advice)
    share = used / limit
    text = f"{_size(used)} of {_size(limit)} used ({share:.0%}); enqueueing is refused from {FULL:.0%} on"
    advice = "find out why jobs wait or are not logged (waiting, log-lag, outcomes), or raise maxmemory"
    return graded(share, (_NEARLY, FULL), text, advice)


def check_latency(facts: RedisFacts) -> Finding:
    """How long a round trip from here takes."""
    usual, worst = median(facts.trips), max(facts.trips)
    text = f"a round trip takes {usual * 1e3:.1f} ms, at worst {worst * 1e3:.1f} ms, of {len(facts.trips)}"
    advice = "run Redis near the workers; see its SLOWLOG and INFO commandstats for who else uses it"
    return graded(usual, _SLOW, text, advice)


def check_clock(facts: RedisFacts) -> Finding:
    """Whether this host and Redis agree on the time."""
    return agreement("Redis", facts.ahead, "`at` and `expires_at` come from this host and are judged by Redis's clock")


REACH = Check("redis", check_reachable)
CHECKS = (
    Check("redis-version", check_version),
    Check("redis-eviction", check_eviction),
    Check("redis-persistence", check_persistence),
    Check("redis-memory", check_memory),
    Check("redis-latency", check_latency),
    Check("redis-clock", check_clock),
)


def _size(octets: int) -> str:
    return f"{octets / 2**30:.1f} GB" if octets >= 2**30 else f"{octets / 2**20:.0f} MB"
