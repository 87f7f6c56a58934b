"""A scheduler says that it is there, how its duties fare, and what it meets."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from demo.redis_server import RedisServer
from envoi.queue.queue import Queue
from envoi.queue.schedulers import FORGOTTEN, Sign, read_signs
from scheduler.duties import Duties, Record
from scheduler.register import Register
from scheduler.troubles import Troubles
from tests.integration.scheduler.hands import Clock

OpenQueue = Callable[[str], Queue]


def signs(queue: Queue) -> dict[str, tuple[float, Sign]]:
    register: Any = queue.redis.hgetall(queue.keys.schedulers)
    return read_signs(register, queue.time())


def test_it_says_how_long_ago_each_duty_was_done_and_what_goes_wrong(
    redis_url: str, open_queue: OpenQueue, clock: Clock
) -> None:
    queue, troubles = open_queue(redis_url), Troubles(clock)
    records = {"due": Record(ended=clock.now - 2.5), "gate": Record(ended=None)}
    register = Register(queue, lambda: records, troubles, clock=clock)
    troubles.tell("log_writer", "LogUnavailable", "postgresql://me@host did not do it")
    assert not register.turn()
    ((name, (heard, sign)),) = signs(queue).items()
    assert name == register.scheduler
    assert heard >= 0
    assert sign.duties == {"due": 2.5, "gate": None}
    assert sign.troubles == {"log_writer": ["LogUnavailable"]}

    troubles.over("log_writer")
    register.turn()
    ((_, (_, later)),) = signs(queue).items()
    assert later.troubles == {}


def test_as_a_duty_among_others_it_does_not_speak_of_itself(redis_url: str, open_queue: OpenQueue) -> None:
    queue, troubles = open_queue(redis_url), Troubles()
    duties: list[Duties] = []
    register = Register(queue, lambda: duties[0].records, troubles)
    duties.append(Duties([register], troubles))
    duties[0].turn()
    ((_, (_, sign)),) = signs(queue).items()
    assert sign.duties == {}


def test_those_that_are_gone_for_long_are_forgotten_and_the_others_are_not(
    redis_url: str, open_queue: OpenQueue
) -> None:
    queue = open_queue(redis_url)
    for name, ago in (("gone", FORGOTTEN + 5), ("away", FORGOTTEN - 60)):
        sign = json.dumps({"version": "1.0", "said by a newer version": True})
        queue.redis.hset(queue.keys.schedulers, name, f"{queue.time() - ago:.6f} {sign}")
    register = Register(queue, dict, Troubles())
    register.turn()
    assert set(signs(queue)) == {"away", register.scheduler}


def test_a_full_redis_keeps_no_scheduler_from_saying_that_it_is_there(open_queue: OpenQueue) -> None:
    with RedisServer(aof=False) as server:
        queue = open_queue(server.url)
        queue.redis.config_set("maxmemory", 1)
        register = Register(queue, dict, Troubles())
        register.turn()
        assert set(signs(queue)) == {register.scheduler}
