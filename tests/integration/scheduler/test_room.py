"""The door is shut before Redis is full, and what is in can still be delivered and logged."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from demo.redis_server import RedisServer
from envoi import Job, QueueFull
from envoi.queue.commands import Claim, Done
from envoi.queue.queue import Queue
from envoi.settings import Settings
from envoi.states import State
from scheduler.room import Room


@pytest.fixture
def queue() -> Iterator[Queue]:
    with RedisServer(aof=False) as server, redis.Redis.from_url(server.url, decode_responses=True) as client:
        made = Queue(client, Settings())
        made.open_gate(made.run_id())
        yield made


def job(number: int) -> Job:
    return Job(page="1", recipient=str(number + 1), message="x" * 1000)


def test_enqueueing_is_refused_near_the_limit_while_claims_and_outcomes_go_on(queue: Queue) -> None:
    room = Room(queue)
    limit = int(queue.redis.info("memory")["used_memory"]) + 40_000_000
    queue.redis.config_set("maxmemory", limit)
    taken = 0
    refused = None
    while refused is None and taken < 100_000:
        room.turn()
        try:
            taken += len(queue.enqueue([job(taken + n) for n in range(500)]))
        except QueueFull as error:
            refused = str(error)
    assert "nearly used up" in str(refused)
    assert taken > 1000
    assert int(queue.redis.info("memory")["used_memory"]) < limit  # it was our refusal, not Redis's

    (catch,) = queue.trip([Claim(10, "w:1")])
    held = catch.claimed[0]
    assert queue.trip([Done(held, "settle", [], state=State.SENT, message_id="m_1")]) == ["ok"]
    assert queue.status(held.job_id)["state"] == "sent"

    queue.redis.config_set("maxmemory", limit * 4)  # room again, as when the log has caught up
    room.turn()
    assert len(queue.enqueue([job(1)])) == 1


def test_without_a_limit_nothing_is_refused(queue: Queue) -> None:
    Room(queue).turn()
    assert queue.memory_share() is None
    assert queue.enqueue([job(1)])


def test_a_door_that_nobody_looks_after_any_more_opens_by_itself(queue: Queue) -> None:
    queue.refuse_more(30)
    with pytest.raises(QueueFull):
        queue.enqueue([job(1)])
    assert 0 < queue.redis.pttl(queue.keys.full) <= 30_000
    queue.redis.pexpire(queue.keys.full, 0)
    assert queue.enqueue([job(1)])
