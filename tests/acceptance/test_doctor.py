"""``envoi doctor`` beside a whole Envoi: exit status and words in both forms, and what makes it change its mind."""

from __future__ import annotations

import json
from typing import Any

import pytest
import redis

from envoi import Envoi, QueueFull
from envoi.queue.keys import Keys
from tests.acceptance.conftest import MakeStack
from tests.acceptance.quick_stack import QuickStack
from tests.waiting import wait_until, wait_until_equal

ADVISED = {"redis-memory", "app-secret"}  # the stack's Redis has no maxmemory, its page's app no secret


def troubles(stack: QuickStack) -> tuple[int, dict[str, str]]:
    """Its exit status, and what is not well."""
    ran = stack.command("doctor", "--json")
    found: list[dict[str, Any]] = json.loads(ran.out)
    assert ran.err == ""
    states = {one["name"]: one["state"] for one in found if one["state"] != "ok"}
    states.pop("redis-latency", None)  # how fast this machine is
    return ran.status, states


def a_minute_later(stack: QuickStack) -> None:
    """As far as signs of life can tell."""
    register = Keys(stack.environment["ENVOI_REDIS_TAG"]).schedulers
    with redis.Redis.from_url(stack.redis_url, decode_responses=True) as client:
        for name, sign in client.hgetall(register).items():
            heard, _, said = sign.partition(" ")
            client.hset(register, name, f"{float(heard) - 60:.6f} {said}")


def test_it_tells_a_working_envoi_from_one_that_would_lose_jobs_and_one_without_a_scheduler(
    make_stack: MakeStack,
) -> None:
    stack = make_stack()
    stack.start(workers=1)
    wait_until_equal(lambda: troubles(stack), (0, dict.fromkeys(ADVISED, "warn")), "a clean bill of health", 120)
    shown = stack.command("doctor", "--ask-meta")
    assert (shown.status, shown.err) == (0, "")
    assert "1 tokens live" in shown.out
    assert "\nwarn redis-memory: set maxmemory" in shown.out
    secrets = [stack.environment["ENVOI_SECRET_KEYS"], stack._token]
    assert [secret for secret in secrets if secret in shown.out] == []

    with redis.Redis.from_url(stack.redis_url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        wait_until(lambda: "door" in troubles(stack)[1], "the shut door", 120)
        ran = stack.command("doctor")
        assert ran.status == 1
        assert "\nbad redis-eviction: set maxmemory-policy to noeviction" in ran.out
        with pytest.raises(QueueFull, match="noeviction"):
            Envoi(stack.redis_url).send(stack.page, "7", "hello")
        client.config_set("maxmemory-policy", "noeviction")
    wait_until_equal(lambda: troubles(stack)[0], 0, "the open door", 120)

    stack.child("scheduler").kill()
    a_minute_later(stack)
    wait_until_equal(lambda: troubles(stack)[1].get("schedulers"), "bad", "the scheduler's absence", 120)
    assert troubles(stack)[0] == 1
