"""What of a job Flower gets to see, and when."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis
from structlog.testing import capture_logs

from envoi.events import GraphError
from envoi.settings import Settings
from tests.unit.worker.attempt import held
from worker import flower
from worker.delivery import Delivery
from worker.flower import FlowerEvents, redacted, told

JOB = {
    "id": "01",
    "page": "100",
    "recipient": {"id": "7000000000001234"},
    "message": {"text": "your PIN is 4711", "metadata": "mine"},
}


def test_neither_the_text_nor_the_whole_recipient_is_shown() -> None:
    shown = redacted(JOB, "replies")
    assert shown == "{'page': '100', 'id': '…1234', 'lane': 'replies', 'message': 'text(16), metadata(4)'}"


def test_an_attachment_is_named_and_not_shown() -> None:
    job = {**JOB, "message": {"attachment": {"type": "image", "payload": {"url": "https://secret.example/x.png"}}}}
    assert "secret" not in redacted(job, "bulk")
    assert "'message': 'attachment'" in redacted(job, "bulk")


def test_a_graph_error_is_told_by_its_codes() -> None:
    assert told("failed", GraphError("No matching user", 100, 2018001)) == "Graph error 100/2018001: No matching user"
    assert told("retry", GraphError("temporary", 2)) == "Graph error 2: temporary"


def test_an_error_of_our_own_is_told_by_what_the_job_came_to() -> None:
    assert told("unsure", GraphError("no answer")) == "unsure: no answer"
    assert told("expired", None) == "expired"


class Broker:
    """In the place of a Celery application: its dispatcher publishes into a list, or fails so often as told."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.published: list[list[tuple[str, str]]] = []
        self.events = self.clock = self.producer = self.exchange = self
        self.name, self.headers, self.delivery_mode = "celeryev", {"hostname": "w@h"}, 1
        self.heard = threading.Event()

    @contextmanager
    def connection_for_write(self) -> Iterator[None]:
        yield

    def Dispatcher(self, _connection: object, **_options: object) -> Broker:  # noqa: N802  # Celery's name
        return self

    def forward(self) -> int:
        return 1

    def publish(self, body: bytes, **options: object) -> None:
        assert options["routing_key"] == "task.multi"
        assert options["content_type"] == "application/json"
        if self.failures:
            self.failures -= 1
            raise redis.ConnectionError("it is away")
        self.published.append([(event["type"], event["uuid"]) for event in json.loads(body)])
        self.heard.set()


def ended(came_to: str, broker: Broker) -> list[tuple[str, str]]:
    """What is published of an attempt that came to this."""
    events = FlowerEvents(broker, "w@h")
    events.ended(Delivery(held(), Settings()), came_to, 0.1)
    events.start()
    events.stop(5)
    return [event for batch in broker.published for event in batch]


@pytest.mark.parametrize(
    ("came_to", "kinds"),
    [
        ("sent", ["task-succeeded"]),
        ("sent: late", ["task-succeeded"]),
        ("failed", ["task-failed"]),
        ("expired", ["task-failed"]),
        ("cancelled", ["task-revoked"]),
        ("retry", ["task-retried"]),
        ("unsure", ["task-retried"]),
        ("back", ["task-retried"]),  # throttled or paused: it waits, and Flower says for what
        ("back: typing", []),
        ("back: pace", []),
        ("stale", []),
    ],
)
def test_what_an_attempt_came_to_is_one_event(came_to: str, kinds: list[str]) -> None:
    assert [kind for kind, _ in ended(came_to, Broker())] == kinds


def test_events_that_could_not_be_published_are_published_once_the_broker_is_back_in_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(flower, "_RETRY", 0.001)
    broker = Broker(failures=3)
    events = FlowerEvents(broker, "w@h")
    delivery = Delivery(held(), Settings())
    events.started(delivery)
    events.start()
    assert broker.heard.wait(5)
    events.ended(delivery, "sent", 0.1)
    events.stop(5)
    heard = [kind for batch in broker.published for kind, _ in batch]
    assert heard == ["task-received", "task-started", "task-succeeded"]


def test_text_that_is_not_unicode_takes_no_other_events_with_it() -> None:
    broker = Broker()
    events = FlowerEvents(broker, "w@h")
    delivery = Delivery(held(), Settings())
    delivery.error = GraphError("half a pair: \ud83d")
    events.ended(delivery, "failed", 0.1)
    events.started(delivery)
    events.start()
    events.stop(5)
    [batch] = broker.published
    assert [kind for kind, _ in batch] == ["task-failed", "task-received", "task-started"]


def test_a_retry_is_published_without_waiting_for_company(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flower, "_FLUSH_EVERY", 3600.0)
    broker = Broker()
    events = FlowerEvents(broker, "w@h")
    events.start()
    delivery = Delivery(held(), Settings())
    events.started(delivery)
    events.ended(delivery, "retry", 0.1)
    assert broker.heard.wait(5), "it waits for the flush time"
    events.stop(5)


def test_beyond_the_backlog_events_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flower, "_BACKLOG", 3)
    broker = Broker()
    events = FlowerEvents(broker, "w@h")
    for _ in range(3):
        events.started(Delivery(held(), Settings()))
    with capture_logs() as lines:
        events.start()
        events.stop(5)
    assert sum(len(batch) for batch in broker.published) == 3
    assert [line["lost"] for line in lines] == [3]
