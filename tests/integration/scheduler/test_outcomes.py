"""Outcomes as Celery tasks: into a real broker, to a real worker of the app, through dead publishers."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import redis

from demo.ports import free_port
from envoi.job import Job
from envoi.queue.queue import Queue
from envoi.settings import Settings
from scheduler.outcomes import OutcomePublisher
from scheduler.scheduler import Scheduler
from scheduler.task_broker import BrokerUnavailable, TaskBroker
from scheduler.troubles import Troubles
from tests.integration.scheduler.hands import PAGE
from tests.integration.scheduler.shop import TOLD
from tests.waiting import wait_until, wait_until_equal

ROOT = Path(__file__).parents[3]
START = 90.0  # seconds that a process which loads Celery may take on a busy machine
Publishers = Callable[..., OutcomePublisher]

# A publisher in a process of its own, as a scheduler runs it; it says when it has begun.
PUBLISHER = """
import sys, threading
from envoi.client import open_queue
from scheduler.outcomes import OutcomePublisher
from scheduler.task_broker import TaskBroker
from scheduler.troubles import Troubles
url = sys.argv[1]
OutcomePublisher(open_queue(url), TaskBroker(url), Troubles(), lease=1.0).run(threading.Event())
"""


@pytest.fixture
def queue(redis_url: str, open_queue: Callable[[str], Queue]) -> Queue:
    """An open queue."""
    found = open_queue(redis_url)
    found.open_gate(found.run_id())
    return found


@pytest.fixture
def publishers(queue: Queue, redis_url: str) -> Iterator[Publishers]:
    """Publishers of that queue, into the same Redis unless another broker is said."""
    made = []

    def make(url: str = redis_url, lease: float = 10.0) -> OutcomePublisher:
        broker = TaskBroker(url)
        made.append(broker)
        return OutcomePublisher(queue, broker, Troubles(), lease)

    yield make
    for broker in made:
        broker.close()


def settle(queue: Queue, count: int = 1, *, first: int = 0, target: str = "celery:shop.told") -> list[str]:
    """Jobs of one person, cancelled one after the other."""
    jobs = [
        Job(page=PAGE, recipient="7", message="for your eyes only", key=f"k{n}", on_outcome=target)
        for n in range(first, first + count)
    ]
    ids = queue.enqueue(jobs)
    for job_id in ids:
        assert queue.cancel(job_id) == "cancelled"
    return ids


def messages(client: redis.Redis, name: str = "celery") -> list[dict[str, Any]]:
    """Task messages that wait in a queue of the app, the oldest first."""
    found: Any = client.lrange(name, 0, -1)
    return [json.loads(text) for text in reversed(found)]


def ids_in(client: redis.Redis, name: str = "celery") -> list[str]:
    return [arguments(message)["job_id"] for message in messages(client, name)]


def arguments(message: dict[str, Any]) -> dict[str, Any]:
    """The keyword arguments of a task message."""
    found: dict[str, Any] = json.loads(base64.b64decode(message["body"]))[1]
    return found


def test_a_worker_of_the_app_runs_the_task_once_with_what_became_of_the_job(
    queue: Queue, redis_url: str, redis_client: redis.Redis, publishers: Publishers
) -> None:
    publisher = publishers()
    ids = settle(queue, 3)
    assert publisher.turn() == 3
    assert publisher.turn() == 0
    worker = subprocess.Popen(
        [
            *(sys.executable, "-m", "celery", "-A", "tests.integration.scheduler.shop", "worker", "-P", "solo"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING"),
        ],
        cwd=ROOT,
        env={**os.environ, "SHOP_BROKER_URL": redis_url},
    )
    try:
        wait_until_equal(lambda: redis_client.llen(TOLD), 3, "the app's tasks", START)
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(20)
    rows: Any = redis_client.lrange(TOLD, 0, -1)
    told = [json.loads(row) for row in rows]
    assert [one["job_id"] for one in told] == ids
    assert told[0] == {
        "job_id": ids[0],
        "state": "cancelled",
        "message_id": None,
        "recipient_id": None,
        "error": {"message": "cancelled before the message call", "code": None, "subcode": None},
        "key": "k0",
        "at": told[0]["at"],
        "task": f"{ids[0]}-cancelled",
    }
    assert datetime.fromisoformat(told[0]["at"]).utcoffset() is not None
    assert redis_client.llen("celery") == 0
    assert redis_client.xlen(queue.keys.tasks) == 0


def test_a_scheduler_publishes_into_the_broker_that_it_is_told_of(
    queue: Queue, redis_url: str, redis_client: redis.Redis, migrated_sqlite_url: str
) -> None:
    broker_url = f"{redis_url.rpartition('/')[0]}/1"
    scheduler = Scheduler(
        Settings(redis_url=redis_url, database_url=migrated_sqlite_url, outcome_broker_url=broker_url)
    )
    ids = settle(queue, 2)
    scheduler.start()
    try:
        with redis.Redis.from_url(broker_url, decode_responses=True) as broker:
            wait_until_equal(lambda: ids_in(broker), ids, "the tasks", START)
        wait_until_equal(lambda: redis_client.xlen(queue.keys.tasks), 0, "outcomes to publish")
    finally:
        scheduler.stop(10.0)
    assert redis_client.get(f"{queue.keys.base}publisher") is None, "another scheduler may go on at once"
    assert redis_client.llen("celery") == 0


def test_a_job_says_which_queue_of_the_app_its_task_goes_to(
    queue: Queue, redis_client: redis.Redis, publishers: Publishers
) -> None:
    [here] = settle(queue, target="celery:shop.told")
    [there] = settle(queue, first=1, target="celery:other.task@replies")
    publishers().turn()
    assert ids_in(redis_client) == [here]
    [message] = messages(redis_client, "replies")
    assert (message["headers"]["task"], arguments(message)["job_id"]) == ("other.task", there)
    assert "eyes" not in str(redis_client.lrange("celery", 0, -1))


def test_a_publisher_killed_at_any_moment_loses_nothing_and_keeps_the_order(
    queue: Queue, redis_url: str, redis_client: redis.Redis
) -> None:
    ids = settle(queue, 300)
    first = subprocess.Popen([sys.executable, "-c", PUBLISHER, redis_url], cwd=ROOT)
    try:
        wait_until(lambda: redis_client.llen("celery") >= 130, "the first publisher's tasks", START)
    finally:
        first.kill()
        first.wait(10)
    ids += settle(queue, 300, first=300)
    second = subprocess.Popen([sys.executable, "-c", PUBLISHER, redis_url], cwd=ROOT)
    try:
        wait_until_equal(lambda: redis_client.xlen(queue.keys.tasks), 0, "outcomes to publish", START)
    finally:
        second.kill()
        second.wait(10)
    came = ids_in(redis_client)
    assert list(dict.fromkeys(came)) == ids


def test_one_that_died_between_publishing_and_deleting_has_its_outcomes_published_again(
    queue: Queue, redis_client: redis.Redis, publishers: Publishers, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = settle(queue, 2)
    with monkeypatch.context() as dying:
        first = publishers(lease=0.2)
        dying.setattr(first._stream, "delete", lambda *_: None)
        first.turn()
    second = publishers()
    assert second.turn() is None, "the first one's lease has not run out"
    wait_until(second.turn, "the end of the lease")
    assert ids_in(redis_client) == [*ids, *ids]
    tasks = [message["headers"]["id"] for message in messages(redis_client)]
    assert tasks[:2] == tasks[2:], "one task id for one outcome"


def test_a_broker_that_is_away_is_waited_for_and_its_address_not_told(
    queue: Queue, redis_client: redis.Redis, publishers: Publishers, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = settle(queue, 2)
    away = publishers(f"redis://:sesame@127.0.0.1:{free_port()}/0")
    with pytest.raises(BrokerUnavailable, match="ENVOI_OUTCOME_BROKER_URL") as caught:
        away.turn()
    assert "sesame" not in str(caught.value)
    assert redis_client.xlen(queue.keys.tasks) == 2
    away.release()
    there = publishers()
    with monkeypatch.context() as breaking:  # it breaks after the first one
        publish = there._broker.publish
        taken: list[str] = []

        def once(outcome: Any) -> None:
            if taken:
                raise BrokerUnavailable("gone")
            publish(outcome)
            taken.append(outcome.job_id)

        breaking.setattr(there._broker, "publish", once)
        with pytest.raises(BrokerUnavailable):
            there.turn()
    assert there.turn() == 1
    assert ids_in(redis_client) == ids


def test_what_nobody_can_read_stops_nothing(
    queue: Queue, redis_client: redis.Redis, publishers: Publishers, capsys: pytest.CaptureFixture[str]
) -> None:
    redis_client.xadd(queue.keys.tasks, {"s": "sent"})
    ids = settle(queue)
    assert publishers().turn() == 2
    assert ids_in(redis_client) == ids
    assert redis_client.xlen(queue.keys.tasks) == 0
    assert "not an outcome" in capsys.readouterr().out


def test_another_run_of_redis_is_not_cleaned_up_by_what_was_read_from_the_last_one(
    queue: Queue, redis_client: redis.Redis, publishers: Publishers
) -> None:
    settle(queue)
    stream = publishers()._stream
    reading = stream.read(10)
    assert reading is not None
    stream.delete("another run", reading.positions)
    assert redis_client.xlen(queue.keys.tasks) == 1
    stream.delete(reading.run, reading.positions)
    assert redis_client.xlen(queue.keys.tasks) == 0
