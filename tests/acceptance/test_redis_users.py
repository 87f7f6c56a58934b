"""Redis with a user for each part (deploy/redis/users.acl): each can do its work, and little else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from sqlalchemy import Engine

from demo.ports import free_port
from demo.stack import Stack
from envoi import AsyncEnvoi, Envoi, Job
from tests.acceptance.conftest import MakeStack
from tests.acceptance.flower import Flower
from tests.acceptance.outcomes import wait_until_settled
from tests.acceptance.secured_redis import SecuredRedis
from tests.waiting import wait_until

OpenedLog = Callable[[Stack], Engine]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SecuredRedis]:
    folder = tmp_path / "secured"
    folder.mkdir()
    with SecuredRedis(folder) as running:
        yield running


def secured(make_stack: MakeStack, server: SecuredRedis, **settings: str) -> Stack:
    """A stack of which each process comes as its own user."""
    stack = make_stack(redis_url=server.url("operator"), settings={"ENVOI_PAGE_PACE": "500", **settings})
    stack._tag = stack.environment["ENVOI_REDIS_TAG"] = "envoi"
    for step in stack.steps(workers=1):
        for name in ("scheduler", "worker"):
            if step.startswith(name):  # its metrics ask Redis too
                stack.environment |= {"ENVOI_REDIS_URL": server.url(name), "ENVOI_METRICS_PORT": str(free_port())}
    return stack


def as_operator(stack: Stack, server: SecuredRedis) -> Stack:
    stack.environment["ENVOI_REDIS_URL"] = server.url("operator")
    return stack


async def by_asyncio(url: str, page: str) -> None:
    async with AsyncEnvoi(url) as envoi:
        job_id = await envoi.send(page, "7000000000000104", "hello")
        assert (await envoi.wait(job_id, 30)).state == "sent"


def test_each_part_does_its_work_as_its_own_user(
    server: SecuredRedis, make_stack: MakeStack, opened_log: OpenedLog
) -> None:
    stack = secured(make_stack, server)
    engine, envoi = opened_log(stack), Envoi(server.url("producer"))
    later = datetime.now(UTC) + timedelta(hours=1)
    stack.environment["ENVOI_REDIS_URL"] = server.url("flower")
    with Flower(stack) as flower:
        flower.wait_for_workers(1)
        ids = envoi.send_many(
            Job(page=stack.page, recipient=str(7_000_000_000_000_001 + n % 20), message=f"m {n}", key=f"k{n}")
            for n in range(200)
        )
        waiting = envoi.send(stack.page, "7000000000000100", "later", at=later)
        assert envoi.status(waiting).state == "scheduled"
        envoi.reschedule(waiting, later + timedelta(hours=1))
        assert envoi.cancel(waiting) == "cancelled"
        envoi.action(stack.page, "7000000000000001", "mark_seen")
        assert envoi.opt_out(stack.page, "7000000000000102")
        envoi.hold(stack.page, "7000000000000103")
        envoi.send(stack.page, "7000000000000103", "held")
        assert [one.page for one in envoi.held(stack.page)] == [stack.page]
        assert len(list(envoi.opt_outs(stack.page))) == 1
        assert envoi.conversation(stack.page, "7000000000000103").waiting == 1
        envoi.cancel_all(stack.page, "7000000000000103")
        told = envoi.send(stack.page, "7000000000000101", "and tell me", on_outcome="stream:shop")
        assert sum(wait_until_settled(stack, engine, len(ids) + 4, timeout=60).values()) == len(ids) + 4
        assert envoi.wait(told, 10).state == "sent"
        asyncio.run(by_asyncio(server.url("producer"), stack.page))
        outcomes = envoi.outcomes("shop")
        [outcome] = outcomes.read(wait=10)
        assert outcome.job_id == told
        outcomes.acknowledge(outcome)
        wait_until(lambda: ids[0] in flower.tasks(), "Flower shows the job")
    as_operator(stack, server)
    for command in (("pages", "list"), ("pages", "pause", stack.page), ("pages", "resume", stack.page), ("doctor",)):
        stack.run(*command)
    assert stack.run("status", ids[0])
    assert server.denied() == []


FORBIDDEN = {
    "producer": [
        ("FLUSHALL",),
        ("CONFIG", "GET", "*"),
        ("KEYS", "*"),
        ("SCAN", "0"),
        ("SCRIPT", "FLUSH"),
        ("ACL", "LIST"),
        ("MONITOR",),
        ("SUBSCRIBE", "x"),
        ("SET", "{envoi}:epoch", "x"),
        ("SET", "{envoi}:proto", "9"),
        ("HGET", "{envoi}:scripts", "x"),
        ("HGET", "{envoi}:workers", "x"),
        ("GET", "{envoi}:log"),
        ("GET", "another-queue"),
        ("EVAL", "return redis.call('FLUSHALL')", "0"),
        ("EVAL", "return redis.call('SET', '{envoi}:full', 'evicts')", "0"),
    ],
    "worker": [("FLUSHALL",), ("CONFIG", "SET", "save", ""), ("SCRIPT", "FLUSH"), ("KEYS", "*"), ("GET", "other")],
    "scheduler": [
        ("FLUSHALL",),
        ("SCAN", "0"),
        ("CONFIG", "SET", "save", ""),
        ("KEYS", "*"),
        ("SHUTDOWN",),
        ("GET", "other"),
    ],
    "operator": [("FLUSHALL",), ("CONFIG", "SET", "save", ""), ("SHUTDOWN",), ("SCRIPT", "FLUSH"), ("GET", "other")],
    "flower": [
        ("GET", "{envoi}:j:x"),
        ("LRANGE", "{envoi}:l:x", "0", "1"),
        ("EVAL", "return 1", "0"),
        ("FLUSHALL",),
        ("KEYS", "*"),
    ],
}


@pytest.mark.parametrize("user", FORBIDDEN)
def test_a_user_can_do_nothing_that_its_part_does_not_need(server: SecuredRedis, user: str) -> None:
    with server.client(user) as client:
        for command in FORBIDDEN[user]:
            with pytest.raises(redis.ResponseError, match=r"NOPERM|ACL failure|no permissions|can't (run|access)"):
                client.execute_command(*command)


def test_without_a_password_nobody_gets_in(server: SecuredRedis) -> None:
    with redis.Redis(port=server.port) as client, pytest.raises(redis.AuthenticationError):
        client.ping()
