"""``envoi doctor`` beside a whole Envoi: exit status and words in both forms, and what makes it change its mind."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
import redis

from demo.stack import ROOT, Stack
from envoi import Envoi, QueueFull
from tests.acceptance.conftest import MakeStack
from tests.waiting import wait_until, wait_until_equal

ADVISED = {"redis-memory", "app-secret"}  # the stack's Redis has no maxmemory, its page's app no secret


def doctor(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it as an operator would."""
    return subprocess.run(
        [sys.executable, "-m", "envoi", "doctor", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=ROOT,
        env=stack.environment,
    )


def troubles(stack: Stack) -> tuple[int, dict[str, str]]:
    """Its exit status, and what is not well."""
    ran = doctor(stack, "--json")
    found: list[dict[str, Any]] = json.loads(ran.stdout)
    assert ran.stderr == ""
    states = {one["name"]: one["state"] for one in found if one["state"] != "ok"}
    states.pop("redis-latency", None)  # how fast this machine is
    return ran.returncode, states


def test_it_tells_a_working_envoi_from_one_that_would_lose_jobs_and_one_without_a_scheduler(
    make_stack: MakeStack,
) -> None:
    stack = make_stack()
    stack.start(workers=1)
    wait_until_equal(lambda: troubles(stack), (0, dict.fromkeys(ADVISED, "warn")), "a clean bill of health", 120)
    shown = doctor(stack, "--ask-meta")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "1 tokens live" in shown.stdout
    assert "\nwarn redis-memory: set maxmemory" in shown.stdout
    secrets = [stack.environment["ENVOI_SECRET_KEYS"], stack._token]
    assert [secret for secret in secrets if secret in shown.stdout] == []

    with redis.Redis.from_url(stack.redis_url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        wait_until(lambda: "door" in troubles(stack)[1], "the shut door", 120)
        ran = doctor(stack)
        assert ran.returncode == 1
        assert "\nbad redis-eviction: set maxmemory-policy to noeviction" in ran.stdout
        with pytest.raises(QueueFull, match="noeviction"):
            Envoi(stack.redis_url).send(stack.page, "7", "hello")
        client.config_set("maxmemory-policy", "noeviction")
    wait_until_equal(lambda: troubles(stack)[0], 0, "the open door", 120)

    stack.child("scheduler").kill()
    wait_until_equal(lambda: troubles(stack)[1].get("schedulers"), "bad", "the scheduler's absence", 120)
    assert troubles(stack)[0] == 1
