"""The door is shut before Redis is full, and what is in can still be delivered and logged."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from demo.redis_server import RedisServer
from envoi import Job, QueueFull
from envoi.queue.claim import Claim
from envoi.queue.done import Done
from envoi.queue.queue import EVICTS, Queue
from envoi.queue.server import memory_of
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
    assert memory_of(queue.redis).share is None
    assert queue.enqueue([job(1)])


def test_a_door_that_nobody_looks_after_any_more_opens_by_itself(queue: Queue) -> None:
    queue.refuse_more(30)
    with pytest.raises(QueueFull):
        queue.enqueue([job(1)])
    assert 0 < queue.redis.pttl(queue.keys.full) <= 30_000
    queue.redis.pexpire(queue.keys.full, 0)
    assert queue.enqueue([job(1)])


def test_a_redis_that_begins_to_evict_takes_no_more_jobs_and_delivers_those_it_has(queue: Queue) -> None:
    room = Room(queue)
    room.turn()
    assert queue.enqueue([job(1)])
    queue.redis.config_set("maxmemory-policy", "allkeys-lru")
    room.turn()
    with pytest.raises(QueueFull, match="maxmemory-policy"):
        queue.enqueue([job(2)])
    assert queue.redis.ttl(queue.keys.full) == -1, "the door stays shut if that scheduler ends"
    (catch,) = queue.trip([Claim(10, "w:1")])
    assert queue.trip([Done(catch.claimed[0], "settle", [], state=State.SENT, message_id="m_1")]) == ["ok"]

    queue.redis.config_set("maxmemory-policy", "noeviction")
    Room(queue).turn()  # another scheduler, which has not seen it evict
    assert queue.enqueue([job(2)])


def test_a_policy_that_is_right_again_leaves_a_door_shut_for_want_of_memory(queue: Queue) -> None:
    queue.refuse_more(30)
    Room(queue).turn()
    assert queue.door() not in {None, EVICTS}
