"""Signs of life for work under leases: for as long as the work goes on, and no longer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import redis
from structlog.testing import capture_logs

from envoi.queue.queue import Queue
from scheduler.keeper import Keeper
from scheduler.lease import Lease, ask_for
from scheduler.troubles import Troubles
from tests.integration.scheduler.hands import Clock

KEY = "{envoi}:work"
# Times of the clock that the tests move, in their true proportions, but so long that none runs out in Redis meanwhile.
KEPT_SECONDS, PERIOD, PATIENCE = 120.0, 40.0, 1000.0


class House:
    """One scheduler with one piece of work, and what is between its lines."""

    def __init__(self, client: redis.Redis, name: str, clock: Clock) -> None:
        self.redis = client
        self.lease = Lease(KEY, PATIENCE, clock)
        self.keeper = Keeper(client, name, {"work": self.lease}, Troubles(clock), clock)

    def turn(self) -> bool:
        """A turn of the work. Returns whether it had the right to it."""
        had = self.lease.hold(self.redis)
        self.lease.note_run()
        return had


@pytest.fixture
def client(redis_url: str, open_queue: Callable[[str], Queue]) -> redis.Redis:
    return open_queue(redis_url).redis


@pytest.fixture(autouse=True)
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scheduler.lease.KEPT_SECONDS", KEPT_SECONDS)


@pytest.fixture
def one(client: redis.Redis, clock: Clock) -> House:
    return House(client, "one", clock)


@pytest.fixture
def other(client: redis.Redis, clock: Clock) -> House:
    return House(client, "other", clock)


def test_a_lease_lasts_as_long_as_its_work_goes_on_whatever_one_turn_takes(one: House, clock: Clock) -> None:
    assert one.turn()
    for _ in range(int(PATIENCE / PERIOD) - 1):
        clock.now += PERIOD
        one.redis.pexpire(KEY, 50)
        one.keeper.turn()
        assert 50 < one.redis.pttl(KEY) <= KEPT_SECONDS * 1000
        assert one.lease.mine


def test_work_that_is_stuck_is_not_kept_and_another_scheduler_goes_on(one: House, other: House, clock: Clock) -> None:
    assert one.turn()
    assert not other.turn()
    clock.now += PATIENCE
    one.keeper.turn()
    assert not one.lease.mine
    one.redis.delete(KEY)  # it runs out
    one.keeper.turn()
    assert not one.redis.exists(KEY)
    assert other.turn()
    assert not one.turn()


def test_one_that_waits_has_the_lease_as_soon_as_it_is_free(one: House, other: House) -> None:
    assert one.turn()
    assert not other.turn()
    other.keeper.turn()
    assert not other.lease.mine
    one.redis.delete(KEY)  # as if it had died
    waiting = threading.Thread(target=other.lease.wait, args=(threading.Event(), 60.0))
    waiting.start()
    other.keeper.turn()
    waiting.join(20)
    assert not waiting.is_alive()
    assert other.lease.mine


def test_one_that_waits_hears_that_it_shall_stop(one: House, other: House) -> None:
    assert one.turn()
    assert not other.turn()
    stop = threading.Event()
    waiting = threading.Thread(target=other.lease.wait, args=(stop, 60.0))
    waiting.start()
    stop.set()
    waiting.join(20)
    assert not waiting.is_alive()


def test_without_signs_of_life_it_is_ours_no_longer_than_it_lasts(one: House, clock: Clock) -> None:
    assert one.turn()
    clock.now += KEPT_SECONDS - 0.01
    assert still_mine(one)
    clock.now += 0.02  # also while the process stood still
    assert not still_mine(one)
    one.redis.set(KEY, "other")
    assert not one.turn()
    assert one.redis.get(KEY) == "other"


def test_what_was_given_back_is_not_kept(one: House, other: House) -> None:
    assert one.turn()
    one.lease.release(one.redis)
    one.keeper.turn()
    assert not one.redis.exists(KEY)
    assert other.turn()


def test_what_is_given_back_while_it_is_being_kept_is_given_back(one: House, monkeypatch: pytest.MonkeyPatch) -> None:
    assert one.turn()

    def late(*asked: Any) -> Any:
        one.lease.release(one.redis)
        return ask_for(*asked)

    monkeypatch.setattr("scheduler.keeper.ask_for", late)
    one.keeper.turn()
    assert not one.redis.exists(KEY)
    assert not one.lease.mine


def test_kept_work_asks_redis_for_nothing(one: House) -> None:
    assert one.turn()
    commands = commands_of(one.redis)
    for _ in range(10):
        assert one.turn()
    assert commands_of(one.redis) - commands == 1  # that of looking


def test_a_take_over_is_one_line_once_the_work_is_done(one: House, other: House, clock: Clock) -> None:
    with capture_logs() as lines:
        assert one.lease.hold(one.redis)
        one.keeper.turn()
        assert lines == []  # it may turn out that it cannot be done here
        one.turn()
        one.keeper.turn()
        one.keeper.turn()
        other.turn()
        clock.now += KEPT_SECONDS
        one.redis.delete(KEY)
        other.turn()
        one.turn()
        for house in (one, other):
            house.keeper.turn()
            house.keeper.turn()
    assert [spoken(line) for line in lines] == [
        {"action": "lead", "works": ["work"], "after": []},
        {"action": "lead_lost", "works": ["work"], "to": ["other"]},
        {"action": "lead", "works": ["work"], "after": ["one"]},
    ]


def test_what_is_given_back_is_no_line(one: House) -> None:
    with capture_logs() as lines:
        one.turn()
        one.keeper.turn()
        one.lease.release(one.redis)
        one.keeper.turn()
    assert [line["action"] for line in lines] == ["lead"]


def test_a_full_redis_keeps_nobody_from_leading(one: House) -> None:
    one.redis.config_set("maxmemory", 1)
    try:
        assert one.turn()
        one.keeper.turn()
        assert one.lease.mine
    finally:
        one.redis.config_set("maxmemory", 0)


def still_mine(house: House) -> bool:
    return house.lease.mine


def spoken(line: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name not in {"event", "log_level"}}


def commands_of(client: redis.Redis) -> int:
    """Answered so far, this question not counted."""
    return int(client.info("stats")["total_commands_processed"])
