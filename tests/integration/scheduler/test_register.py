"""A scheduler says that it is there, how its duties fare, and what it meets."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from demo.redis_server import RedisServer
from envoi.log.errors import LogUnavailable
from envoi.queue.queue import Queue
from envoi.queue.schedulers import FORGOTTEN, Led, Sign, read_signs
from scheduler.duties import Duties, Record
from scheduler.lease import Lease
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
    troubles.tell("log_writer", LogUnavailable("postgresql://me@host did not do it"))
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


def test_it_says_what_it_leads_when_that_was_done_last_and_how_far_it_lags(
    redis_url: str, open_queue: OpenQueue, clock: Clock
) -> None:
    queue = open_queue(redis_url)
    names = ("log_writer", "outcomes", "feed", "webhooks", "receipts")
    leases = {name: Lease(f"{queue.keys.base}test:{name}", 60.0, clock) for name in names}
    queue.redis.set(leases["receipts"].key, "another")
    for lease in leases.values():
        lease.hold(queue.redis)
    for name in ("log_writer", "outcomes", "feed", "receipts"):  # webhooks have not come to the end of a turn
        leases[name].note_run()
    clock.now += 2.5
    queue.redis.xadd(queue.keys.events, {"x": "1"}, id=f"{int(1000 * (queue.time() - 7))}-0")
    Register(queue, dict, Troubles(), leases, clock).turn()
    ((_, (_, sign)),) = signs(queue).items()
    assert sign.leads is not None
    assert sign.leads.keys() == {"log_writer", "outcomes", "feed"}
    assert {led.ran for led in sign.leads.values()} == {2.5}
    assert sign.leads["outcomes"].lag == 0
    assert sign.leads["feed"].lag is None
    assert (sign.leads["log_writer"].lag or 0) >= 7


def test_a_sign_of_another_version_is_read_as_far_as_it_goes() -> None:
    said = {"version": "9", "leads": {"feed": {"ran": 1.0, "new": 2}}}
    register = {"newer": f"5.0 {json.dumps(said)}", "older": f"6.0 {json.dumps({'version': '1'})}"}
    assert read_signs(register, 7.0) == {
        "newer": (2.0, Sign("9", leads={"feed": Led(1.0)})),
        "older": (1.0, Sign("1")),
    }


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
