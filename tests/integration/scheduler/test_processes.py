"""A scheduler as a process of its own, in both of its forms: `envoi scheduler` and `celery -A scheduler beat`."""

from __future__ import annotations

import itertools
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from demo.postgres_server import PostgresServer
from demo.redis_server import RedisServer
from envoi.errors import Recovering
from envoi.job import Job
from envoi.log.database import open_log
from envoi.log.queries import LoggedJob
from envoi.log.schema import upgrade
from envoi.queue.queue import Queue
from envoi.states import State
from tests.integration.scheduler.hands import PAGE, Worker, job
from tests.integration.scheduler.processes import BEAT, ENVOI, Processes, lines, wait_logged, wait_ready
from tests.waiting import wait_until, wait_until_equal

OpenQueue = Callable[[str], Queue]


@pytest.fixture
def queue(redis_url: str, open_queue: OpenQueue) -> Queue:
    """A queue in an empty Redis."""
    return open_queue(redis_url)


def test_it_opens_the_queue_moves_what_is_due_writes_the_log_and_stops_in_order(
    command: list[str], redis_url: str, queue: Queue, engine: Engine, start: Processes
) -> None:
    child = start(command, redis_url)
    wait_ready(child)
    job_id = queue.enqueue([job(in_seconds=0.5)])[0]
    assert wait_logged(engine, job_id, State.QUEUED).recipient == "1"
    child.process.send_signal(signal.SIGTERM)
    assert child.process.wait(20) == 0  # a busy machine
    assert [line["in_order"] for line in lines(child) if line["action"] == "stop"] == [True]
    assert queue.redis.exists(queue.keys.log_lease) == 0


def test_beat_publishes_nothing_and_leaves_no_file(
    redis_url: str, queue: Queue, engine: Engine, start: Processes, tmp_path: Path
) -> None:
    child = start(BEAT, redis_url)
    wait_ready(child)
    job_id = queue.enqueue([job(in_seconds=0.1)])[0]
    wait_logged(engine, job_id, State.QUEUED)
    assert queue.redis.exists(queue.keys.bells) == 0
    assert [key for key in queue.redis.scan_iter() if not key.startswith(queue.keys.base) or "_kombu" in key] == []
    assert child.stop() == 0
    assert list((tmp_path / "scheduler-0").iterdir()) == []


def test_two_at_once_do_no_harm_and_either_may_end(
    redis_url: str, queue: Queue, engine: Engine, start: Processes
) -> None:
    first, second = start(BEAT, redis_url), start(BEAT, redis_url)
    wait_ready(first)
    wait_ready(second)
    one = queue.enqueue([job("1", in_seconds=0.2)])[0]
    wait_logged(engine, one, State.QUEUED)
    assert first.stop() == 0
    two = queue.enqueue([job("2", in_seconds=0.2)])[0]
    wait_logged(engine, two, State.QUEUED)
    assert [len(queue.redis.lrange(key, 0, -1)) for key in queue.redis.scan_iter(f"{queue.keys.base}l:*")] == [1, 1]
    assert second.stop() == 0


def test_it_waits_for_redis_and_stops_in_time_while_redis_is_frozen(command: list[str], start: Processes) -> None:
    server = RedisServer()
    try:
        child = start(command, server.url)
        wait_until(lambda: any(line.get("trouble") == "QueueUnavailable" for line in lines(child)), "the trouble")
        server.start()
        wait_ready(child)
        server.child.pause()
        child.process.send_signal(signal.SIGTERM)
        assert child.process.wait(20) == 0
    finally:
        server.close()


def test_it_opens_the_queue_again_after_redis_was_killed(
    server: RedisServer, open_queue: OpenQueue, start: Processes
) -> None:
    queue = open_queue(server.url)
    child = start(ENVOI, server.url)
    wait_ready(child)
    job_id = queue.enqueue([job()])[0]
    server.restart(hard=True)
    wait_ready(child, times=2)
    assert [held.job_id for held in Worker(queue, "w1").claim()] == [job_id]
    assert queue.epoch() == queue.run_id()


def test_it_waits_for_sql_before_the_first_epoch_only(
    redis_url: str, queue: Queue, start: Processes, tmp_path: Path
) -> None:
    with PostgresServer(folder=tmp_path) as database:
        upgrade(database.url)
        database.stop()
        child = start(ENVOI, redis_url, database.url)
        wait_until(lambda: any(line.get("trouble") == "LogUnavailable" for line in lines(child)), "the trouble")
        with pytest.raises(Recovering):
            queue.enqueue([job()])
        database.start()
        wait_ready(child)
        database.stop()
        job_id = queue.enqueue([job(in_seconds=0.1)])[0]
        wait_until_equal(lambda: queue.status(job_id)["state"], "queued")  # SQL is down, and nobody minds
        database.start()
        engine = open_log(database.url)
        wait_logged(engine, job_id, State.QUEUED)
        engine.dispose()
        assert child.stop() == 0


def test_it_refuses_a_redis_that_evicts(
    command: list[str], server: RedisServer, open_queue: OpenQueue, start: Processes
) -> None:
    open_queue(server.url).redis.config_set("maxmemory-policy", "volatile-lru")
    child = start(command, server.url)
    assert child.process.wait(20) == 1
    assert "maxmemory-policy volatile-lru" in child.last_lines()


def test_a_malformed_log_address_ends_it_with_one_line(redis_url: str, start: Processes) -> None:
    child = start(ENVOI, redis_url, "nonsense")
    assert child.process.wait(20) == 1
    assert [line[:25] for line in child.last_lines().splitlines()] == ["envoi: ENVOI_DATABASE_URL"]


def test_an_idle_redis_is_asked_at_most_thirty_times_a_second(redis_url: str, queue: Queue, start: Processes) -> None:
    wait_ready(start(ENVOI, redis_url))
    first, began = _asked(queue)
    time.sleep(2)  # a longer one has it asked more often, and for longer
    asked, ended = _asked(queue)
    assert (asked - first) / (ended - began) <= 30


def _asked(queue: Queue) -> tuple[int, float]:
    """How often Redis was asked so far, and when that was, seconds by its clock."""
    with queue.redis.pipeline() as pipe:
        pipe.info("stats")
        pipe.time()
        stats, (seconds, micros) = pipe.execute()
    return int(stats["total_reads_processed"]), seconds + micros / 1e6


def test_jobs_with_a_time_enter_their_lines_at_it_while_others_are_sent(
    command: list[str], redis_url: str, queue: Queue, engine: Engine, start: Processes
) -> None:
    """How exactly is told, not asserted: a busy machine may be late by as much as it likes. Never is one early.

    That a scheduler turns often enough is in test_due.py, by a clock that no machine slows.
    """
    wait_ready(start(command, redis_url))
    worker, others = Worker(queue, "busy"), itertools.count(1)
    queue.pause(PAGE, "so that nothing comes after their entering")
    ids = [queue.enqueue([job(str(n), in_seconds=1.0 + n * 0.007)])[0] for n in range(200)]

    def entered() -> bool:
        queue.enqueue([Job(page="2", recipient=str(next(others)), message="x") for _ in range(20)])
        worker.claim(20)
        return not queue.redis.zcard(f"{queue.keys.base}at")

    wait_until(entered, "the last of them")
    seen = datetime.fromtimestamp(queue.time(), UTC)
    rows = [wait_logged(engine, job_id, State.QUEUED) for job_id in ids]
    late = sorted(_seconds_late(row) for row in rows)
    told = [f"{1000 * late[int(share * (len(late) - 1))]:.1f}" for share in (0.5, 0.99, 1)]
    print(f"late by, ms: p50 {told[0]}, p99 {told[1]}, worst {told[2]}")  # what `pytest -rP` shows
    assert late[0] >= 0
    assert max(row.due_at for row in rows if row.due_at) <= seen


def _seconds_late(row: LoggedJob) -> float:
    """A job that has entered its line has, in place of its time, when it did."""
    assert row.payload is not None
    assert row.due_at is not None
    return (row.due_at - datetime.fromisoformat(row.payload["at"])).total_seconds()
