"""What time brings about."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
import redis
from sqlalchemy import Engine

from envoi.queue.queue import Queue
from scheduler.due import LIMIT, LONGEST, DueTimes
from scheduler.duties import Duties
from scheduler.epoch import Gate
from scheduler.troubles import Troubles
from tests.integration.queue.hands import Bench, movable_clock
from tests.integration.scheduler.hands import Worker, job, settle
from tests.waiting import wait_until


@pytest.fixture
def queue(redis_url: str, open_queue: Callable[[str], Queue]) -> Queue:
    """A queue in an empty Redis."""
    return open_queue(redis_url)


@pytest.fixture
def due(queue: Queue, engine: Engine) -> DueTimes:
    """The duty, on an open queue."""
    return DueTimes(queue, settle(Gate(queue, engine)))


@pytest.fixture
def bench(redis_client: redis.Redis) -> Iterator[Bench]:
    """An open queue whose clock moves when told."""
    with movable_clock():
        found = Bench(redis_client)
        found.open()
        yield found


def test_a_job_with_a_time_enters_its_line_then(queue: Queue, due: DueTimes) -> None:
    job_id = queue.enqueue([job(in_seconds=0.3)])[0]
    due.turn()
    assert queue.status(job_id)["state"] == "scheduled"
    began = time.monotonic()

    def entered() -> bool:
        due.turn()
        return bool(queue.status(job_id)["state"] == "queued")

    wait_until(entered, "it enters its line")
    assert time.monotonic() - began >= 0.2


def test_it_comes_back_when_the_next_thing_is_due(queue: Queue, due: DueTimes) -> None:
    due.turn()
    assert due.period == LONGEST
    queue.enqueue([job("1", in_seconds=3600), job("2", in_seconds=1800)])
    due.turn()
    assert due.period == LONGEST
    assert queue.tick().next_in == pytest.approx(1800, abs=60)
    soon = queue.time() + 0.05
    queue.redis.zadd(f"{queue.keys.base}due", {"1/id/1": soon})
    due.turn()
    assert due.period <= 0.05
    assert due.period < LONGEST
    queue.redis.zadd(f"{queue.keys.base}due", {"1/id/1": soon + 100})
    due.turn()
    assert due.period == LONGEST


def test_a_due_job_enters_its_line_within_a_tenth_of_a_second(bench: Bench, engine: Engine) -> None:
    """By a clock that moves only as long as the scheduler rests. Half the jobs come while it does."""
    due = DueTimes(bench, settle(Gate(bench, engine)))
    duties = Duties([due], Troubles(bench.now), bench.now)
    times = {bench.put(str(n), at_in=0.2 + n / 17): bench.now() + 0.2 + n / 17 for n in range(30)}
    late: list[float] = []
    for turn in range(1000):
        rest = max(duties.turn(), 1e-4)
        entered = times.keys() - set(bench.db.zrange(f"{bench.keys.base}at", 0, -1))
        late += [bench.now() - times.pop(job_id) for job_id in entered]
        if turn < 30:
            bench.sleep(rest * turn / 30)
            times[bench.put(str(100 + turn), at_in=0.001)] = bench.now() + 0.001
            bench.sleep(rest * (30 - turn) / 30)
        elif not times:
            break
        else:
            bench.sleep(rest)
    assert not times
    assert len(late) == 60
    assert min(late) >= -1e-3
    assert max(late) <= 0.1


def test_more_than_one_turn_holds_is_moved_at_once(queue: Queue, due: DueTimes) -> None:
    soon = queue.enqueue([job(str(n), in_seconds=0.05) for n in range(LIMIT + 5)])
    at = f"{queue.keys.base}at"
    queue.redis.zadd(at, dict.fromkeys(soon, 1.0))  # their time has come
    assert due.turn() is True
    assert queue.redis.zcard(at) == 5
    assert due.late > 1e9
    assert due.turn() is False
    assert queue.redis.zcard(at) == 0


def test_a_lease_that_has_run_out_is_rescued(queue: Queue, due: DueTimes) -> None:
    lost, alive = Worker(queue, "lost"), Worker(queue, "alive")
    job_id = queue.enqueue([job()])[0]
    held = lost.claim()[0]
    queue.redis.zadd(f"{queue.keys.base}lease", {held.conversation: 1.0})
    due.turn()
    wait_until(alive.claim, "the job is claimed again")  # when the page's pace lets it
    assert [claimed.job_id for claimed in alive.held] == [job_id]


def test_two_schedulers_at_once_move_everything_once(
    queue: Queue, due: DueTimes, engine: Engine, redis_url: str, open_queue: Callable[[str], Queue]
) -> None:
    other = DueTimes(open_queue(redis_url), settle(Gate(open_queue(redis_url), engine)))
    ids = queue.enqueue([job(in_seconds=0.05 + n / 1000) for n in range(50)])  # one person: one line
    while queue.redis.zcard(f"{queue.keys.base}at"):
        due.turn()
        other.turn()
    line = queue.redis.lrange(next(queue.redis.scan_iter(f"{queue.keys.base}l:*")), 0, -1)
    assert line == ids
