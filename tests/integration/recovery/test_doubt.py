"""What the log does not know: jobs that may have begun after its last word are never begun again blindly."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from envoi.log.database import open_log
from envoi.recovery.recovery import Recovery
from tests.integration.recovery.house import House
from tests.integration.scheduler.hands import PAGE

LOST = 0.5  # seconds; at 10 a second and a cap of 2: 8 calls, 10 conversations
CALLS, CLAIMED = 8, 2


@pytest.fixture
def small(redis_client: redis.Redis, migrated_sqlite_url: str) -> Iterator[House]:
    """A queue with a log in SQLite."""
    engine = open_log(migrated_sqlite_url)
    yield House(redis_client, engine)
    engine.dispose()


IMAGE = {"attachment": {"type": "image", "payload": {"url": "https://example.com/a.png"}}}


@pytest.mark.parametrize("seed", [*range(12), 26, 36, 48, 54, 56])  # the last ones have found something
def test_whatever_workers_began_after_the_logs_last_word_is_in_doubt(small: House, seed: int) -> None:
    """As many calls as the pace allows, by the queue's own choice of conversations."""
    chance = random.Random(seed)  # noqa: S311  # a seed that makes a failure repeatable
    jobs = [small.put(str(chance.randrange(40)), f"{n}", lane=chance.choice(["bulk", "replies"])) for n in range(150)]
    for _ in range(chance.randrange(40)):
        _one_attempt(small, chance)
        if chance.random() < 0.3:
            jobs.append(small.put(str(chance.randrange(40)), "more", lane=chance.choice(["bulk", "replies"])))
        if chance.random() < 0.2:
            small.queue.cancel(chance.choice(jobs))
    small.log()
    begun = [small.send() for _ in range(CALLS)]
    held = [small.take().job_id for _ in range(CLAIMED)]
    small.wipe()
    done = small.recover(lost=LOST)
    assert done.doubted >= len(held)
    small.reopen()
    again = small.send_all()
    assert again
    assert not {*again} & {*begun, *held}


@pytest.mark.parametrize("lane", ["replies", "bulk"])
def test_media_and_texts_wait_in_lists_of_their_own_and_so_each_has_a_front(small: House, lane: Any) -> None:
    texts = [small.put(str(n), "text", lane=lane) for n in range(30)]
    media = [small.put(str(100 + n), IMAGE, lane=lane) for n in range(30)]
    small.log()
    begun = [small.send() for _ in range(CALLS)]  # by turns
    assert {*begun} & {*texts}
    assert {*begun} & {*media}
    small.wipe()
    assert small.recover(lost=LOST).doubted == 2 * (CALLS + CLAIMED)
    small.reopen()
    assert not {*small.send_all()} & {*begun}


def _one_attempt(house: House, chance: random.Random) -> None:
    held = house.take()
    turn = chance.random()
    if turn < 0.1:
        house.done(held, "back")
        return
    house.worker.begin(held)
    if turn < 0.2:
        house.done(held, "retry", seconds=chance.choice([0.0, 100.0]))
        house.queue.tick()
    else:
        house.done(held, "settle")


def test_jobs_behind_a_head_in_doubt_are_in_doubt_but_not_those_that_come_later(house: House) -> None:
    jobs = [house.put("1", f"{n}") for n in range(3)]
    house.log()
    house.wipe()
    assert house.recover(lost=LOST).doubted == 1
    new = house.put("1", "new")
    house.reopen()
    for job in jobs:  # each is in doubt until a fact of it comes
        assert house.state(job) == "settling"
        assert house.queue.prove_sent(job, f"m_{job}") == "settled"
    assert house.send() == new


def test_that_the_first_was_not_sent_clears_those_behind_it(house: House) -> None:
    first, second = house.put("1"), house.put("1")
    house.log()
    house.wipe()
    house.recover(lost=LOST)
    house.reopen()
    mark = house.redis.hget(house.queue.keys.conversation(f"{PAGE}/id/1"), "m")
    assert house.queue.prove_not_sent(first, mark) == "retrying"
    house.queue.tick()
    assert [house.send(), house.send()] == [first, second]


def test_what_had_not_come_due_is_not_in_doubt(house: House) -> None:
    retried, later = house.put("1"), house.put("2", in_seconds=500)
    held = house.take()
    house.worker.begin(held)
    house.done(held, "retry", seconds=500.0)
    house.log()
    house.wipe()
    assert house.recover(lost=LOST).doubted == 0
    house.reopen()
    assert [house.state(job) for job in (retried, later)] == ["retrying", "scheduled"]


def test_how_much_the_log_lacks_is_known_from_its_milestones(house: House) -> None:
    before = house.queue.time()
    house.put()
    house.log()
    complete = house.milestones.complete()
    assert complete
    assert before - 0.001 <= complete.at <= house.queue.time()  # of a stream's milliseconds
    house.wipe(unlogged=7.0)
    house.refuses()
    house.log()  # the log writer sets no milestone while there is no epoch
    found = Recovery(house.queue, house.engine)
    assert found.gap.lost == pytest.approx(7.0, abs=0.01)
    assert found.run().doubted == 1
    house.reopen()
    assert house.milestones.wiped() is None


def test_the_scheduler_records_when_it_finds_the_queue_wiped(house: House) -> None:
    house.put()
    house.log()
    house.wipe()
    before = house.queue.time()
    house.refuses()
    first = house.milestones.wiped()
    house.refuses()
    assert first == house.milestones.wiped()
    assert first
    assert 0 <= house.queue.time() - first.at <= house.queue.time() - before
