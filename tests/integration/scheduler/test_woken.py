"""What a frozen scheduler had in hand when it froze, and does with it when it wakes, after another went on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from demo.redis_server import RedisServer
from envoi.job import Job
from envoi.notices import Enforcement
from envoi.outcomes import Outcome
from envoi.queue.queue import Queue
from scheduler.epoch import Gate
from scheduler.outcomes import OutcomePublisher
from scheduler.task_broker import TaskBroker
from scheduler.troubles import Troubles
from scheduler.webhooks import WebhookNotices
from tests.integration.scheduler.hands import PAGE, Clock, Worker, job, settle

OpenQueue = Callable[[str], Queue]
LONG = 60.0  # seconds; longer than any lease


class Broker(TaskBroker):
    """Notes what was published, and may freeze whoever publishes."""

    def __init__(self, published: list[str], freeze: Callable[[], object] | None = None) -> None:
        super().__init__("memory://")
        self._published = published
        self._freeze = freeze

    def publish(self, outcome: Outcome) -> None:
        self._published.append(outcome.job_id)
        if freeze := self._freeze:
            self._freeze = None
            freeze()


@pytest.fixture
def queue(redis_url: str, open_queue: OpenQueue) -> Queue:
    """An open queue."""
    found = open_queue(redis_url)
    found.open_gate(found.run_id())
    return found


def test_a_publisher_publishes_no_more(queue: Queue, clock: Clock) -> None:
    jobs = [Job(page=PAGE, recipient="7", message="x", on_outcome="celery:shop.told") for _ in range(3)]
    ids = queue.enqueue(jobs)
    for job_id in ids:
        queue.cancel(job_id)
    published: list[str] = []
    other = OutcomePublisher(queue, Broker(published), Troubles())

    def freeze() -> None:
        clock.now += LONG
        queue.redis.delete(f"{queue.keys.base}publisher")
        assert other.turn() == 3

    frozen = OutcomePublisher(queue, Broker(published, freeze), Troubles())
    frozen.lease._clock = clock
    assert frozen.turn() == 1
    assert published == [ids[0], *ids], "once more from the first that was not deleted, and then in order"
    assert frozen.turn() is None
    assert queue.redis.xlen(queue.keys.tasks) == 0


def test_an_enforcement_does_not_pause_a_page_that_an_operator_has_resumed_since(
    queue: Queue, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue.take_notices([Enforcement(page=PAGE, at=1.7e9, action="block")])
    frozen, other = WebhookNotices(queue), WebhookNotices(queue)
    frozen.lease._clock = clock

    def freeze(*_: Any) -> dict[str, str]:
        clock.now += LONG
        queue.redis.delete(f"{queue.keys.told}:lease")
        assert other.turn() == 1
        queue.resume(PAGE)
        return {}

    monkeypatch.setattr(frozen, "_settled_as_sent", freeze)
    assert frozen.turn() == 0
    assert queue.redis.hget(queue.keys.page(PAGE), "paused") is None


def test_a_look_over_doubts_nothing_in_a_queue_that_another_has_opened(
    server: RedisServer, engine: Engine, open_queue: OpenQueue, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    queues = [open_queue(server.url) for _ in range(2)]
    frozen, other = [settle(Gate(queue, engine, clock)) for queue in queues]
    lost, alive = Worker(queues[0], "lost"), Worker(queues[0], "alive")
    begun = queues[0].enqueue([job("1")])[0]
    lost.begin(lost.claim()[0])
    server.restart()
    alive.come_back()
    assert not settle(frozen).open
    assert not settle(other).open
    clock.now += 6
    suspect = queues[0].suspect
    new: list[str] = []

    def freeze(*step: Any) -> Any:
        queues[0].redis.delete(f"{queues[0].keys.base}looker")
        assert settle(other).open
        new.extend(queues[1].enqueue([job("2")]))
        alive.begin(alive.claim()[0])
        return suspect(*step)

    with monkeypatch.context() as patch:
        patch.setattr(queues[0], "suspect", freeze)
        assert settle(frozen).open
    assert queues[1].status(begun)["state"] == "settling"
    assert queues[1].status(new[0])["state"] == "sending"
    assert queues[1].epoch() == queues[1].run_id()
    assert not queues[1].redis.exists(f"{queues[1].keys.base}looker")
