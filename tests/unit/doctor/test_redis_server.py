"""What is said of a Redis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from envoi.doctor import redis_server as checks
from envoi.doctor.finding import Finding
from envoi.doctor.redis_server import RedisFacts
from tests.unit.doctor.made import redis_facts

Judge = Callable[[RedisFacts], Finding]
MB = 2**20


@pytest.mark.parametrize("check", [checks.REACH, *checks.CHECKS], ids=lambda check: check.name)
def test_a_redis_that_is_well_gets_no_advice(check: Any) -> None:
    found = check.of(redis_facts())
    assert (found.state, found.advice, found.name) == ("ok", "", check.name)


@pytest.mark.parametrize(
    ("judge", "info", "state", "says"),
    [
        (checks.check_reachable, {"role": "slave"}, "bad", "takes no writes"),
        (checks.check_version, {"redis_version": "6.2.14"}, "bad", "6.2.14 is too old"),
        (checks.check_version, {"redis_version": None}, "unknown", "does not tell"),
        (checks.check_version, {"redis_version": "7.0.0"}, "ok", "7.0.0"),
        (checks.check_eviction, {"evicted_keys": 3}, "warn", "3 keys were dropped"),
        (checks.check_persistence, {"aof_enabled": 0}, "bad", "AOF is off"),
        (checks.check_persistence, {"aof_enabled": None}, "unknown", "does not tell"),
        (checks.check_persistence, {"aof_last_write_status": "err"}, "bad", "cannot write its AOF"),
        (checks.check_persistence, {"aof_last_bgrewrite_status": "err"}, "bad", "aof_last_bgrewrite_status"),
        (checks.check_memory, {"maxmemory": 0}, "warn", "maxmemory is not set"),
        (checks.check_memory, {"used_memory": 74 * MB}, "ok", "74%"),
        (checks.check_memory, {"used_memory": 75 * MB}, "warn", "refused from 90%"),
        (checks.check_memory, {"used_memory": 90 * MB}, "bad", "90 MB of 100 MB"),
    ],
)
def test_what_info_says_is_judged(judge: Judge, info: dict[str, Any], state: str, says: str) -> None:
    found = judge(redis_facts(info=info))
    assert found.state == state
    assert says in found.text
    assert (found.advice == "") == (state == "ok")


@pytest.mark.parametrize(
    ("judge", "changed", "state", "says"),
    [
        (checks.check_eviction, {"policy": "allkeys-lru"}, "bad", "would drop jobs"),
        (checks.check_eviction, {"policy": None}, "unknown", "does not tell"),
        (checks.check_persistence, {"fsync": "no"}, "warn", "some 30 s"),
        (checks.check_persistence, {"fsync": None}, "unknown", "does not tell its appendfsync"),
        (checks.check_persistence, {"fsync": "everysec", "loss_bound": 0.5}, "bad", "sent twice"),
        (checks.check_persistence, {"fsync": "always", "loss_bound": 0.5}, "ok", "always"),
        (checks.check_latency, {"trips": (0.001, 0.001, 0.5)}, "ok", "at worst 500.0 ms"),
        (checks.check_latency, {"trips": (0.006,) * 3}, "warn", "6.0 ms"),
        (checks.check_latency, {"trips": (0.2,) * 3}, "bad", "200.0 ms"),
        (checks.check_clock, {"ahead": 1.9}, "ok", "1.90 s ahead of"),
        (checks.check_clock, {"ahead": -2.1}, "warn", "2.10 s behind"),
        (checks.check_clock, {"ahead": -7200.0}, "bad", "`at` and `expires_at`"),
    ],
)
def test_what_else_is_seen_is_judged(judge: Judge, changed: dict[str, Any], state: str, says: str) -> None:
    found = judge(redis_facts(**changed))
    assert found.state == state
    assert says in f"{found.text} {found.advice}"


def test_valkey_is_called_by_its_name_and_judged_by_what_it_is_compatible_with() -> None:
    facts = redis_facts(info={"valkey_version": "9.1.2"})
    assert checks.check_reachable(facts).text == "Valkey 9.1.2 answers"
    assert checks.check_version(facts).state == "ok"
