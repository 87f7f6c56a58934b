"""Figures of queue, log and outbox right after events that are known."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
import redis
from prometheus_client import generate_latest
from prometheus_client.core import Metric
from sqlalchemy import Engine, create_engine, insert

from envoi import Job
from envoi import outbox as app_outbox
from envoi.doctor import waiting
from envoi.events import GraphError
from envoi.log.database import open_log
from envoi.log.tables import jobs
from envoi.metrics.exposition import registry_of
from envoi.outbox import OutboxUnavailable
from envoi.outbox.table import metadata, outbox
from envoi.queue.claim import Claim
from envoi.queue.done import Done
from envoi.queue.page_commands import HoldPage
from envoi.queue.queue import Queue
from envoi.settings import Settings
from scheduler.log_sample import read_log, read_outbox
from scheduler.log_writer import LogWriter
from scheduler.queue_sample import QueueSample
from tests.integration.scheduler.hands import PAGE, Worker, job
from tests.unit.metrics.scrape import Labels, samples, total

MEDIA = {"attachment": {"type": "image", "payload": {"url": "https://example.com/x.png"}}}


def shown(found: Iterable[Metric]) -> dict[str, dict[Labels, float]]:
    kept = list(found)
    return samples(generate_latest(registry_of(lambda: kept)).decode())


@pytest.fixture
def queue(redis_client: redis.Redis, redis_url: str) -> Queue:
    made = Queue(redis_client, Settings(redis_url=redis_url, page_pace=1000, metrics_pages=2))
    made.open_gate(made.run_id())
    return made


@pytest.fixture
def sample(queue: Queue) -> QueueSample:
    return QueueSample(queue)


def test_an_empty_queue_shows_zeros_and_nothing_is_missing(sample: QueueSample) -> None:
    found = shown(sample.read())
    assert found["envoi_waiting_conversations"] == {
        (("lane", lane), ("page_state", state)): 0
        for lane in ("replies", "bulk")
        for state in ("open", "held", "paused")
    }
    assert found["envoi_gate_open"] == found["envoi_door_open"] == {(): 1}
    assert found["envoi_workers"] == found["envoi_schedulers"] == found["envoi_pages"] == {(): 0}
    assert sum(found["envoi_paused_pages"].values()) == 0


def test_what_waits_is_counted_by_lane_and_the_state_of_its_page(queue: Queue, sample: QueueSample) -> None:
    queue.enqueue([job(str(number)) for number in range(3)])
    queue.enqueue([Job(page=PAGE, recipient="9", message=MEDIA)])  # media waits in a list of its own
    queue.enqueue([Job(page="2", recipient="1", message="x", lane="bulk")])
    queue.enqueue([Job(page="3", recipient="1", message="x"), Job(page="3", recipient="2", message="x", lane="bulk")])
    queue.enqueue([job("8", in_seconds=3600)])
    queue.pause("2", "190/460: password changed")
    queue.trip([HoldPage("3", 60.0)])
    found = shown(sample.read())
    waits = found["envoi_waiting_conversations"]
    assert {key: value for key, value in waits.items() if value} == {
        (("lane", "replies"), ("page_state", "open")): 4,
        (("lane", "bulk"), ("page_state", "paused")): 1,
        (("lane", "replies"), ("page_state", "held")): 1,
        (("lane", "bulk"), ("page_state", "held")): 1,
    }
    assert found["envoi_page_waiting_conversations"] == {
        (("page", PAGE),): 4,
        (("page", "2"),): 1,
        (("page", "other"),): 2,  # only two pages have labels of their own here
    }
    assert found["envoi_scheduled_jobs"] == {(): 1}
    assert found["envoi_paused_pages"][(("reason", "token"),)] == 1
    assert found["envoi_held_pages"] == {(): 1}
    assert found["envoi_pages"] == {(): 3}
    assert found["envoi_stream_entries"][(("stream", "events"),)] == 8


def test_a_throttled_app_holds_all_its_pages(queue: Queue, sample: QueueSample) -> None:
    queue.enqueue([Job(page=page, recipient="1", message="x") for page in ("1", "2", "3")])
    queue.introduce("3", 1, pace=None, cap=None, app="77")
    queue.trip([HoldPage("1", 60.0, "app")])
    found = shown(sample.read())
    assert found["envoi_held_pages"] == {(): 2}
    assert total(found, "envoi_waiting_conversations", page_state="open") == 1


def test_the_oldest_is_as_old_as_it_has_waited_for_its_page(
    queue: Queue, sample: QueueSample, redis_client: redis.Redis
) -> None:
    queue.enqueue([job("1"), job("2")])
    key = queue.keys.waiting(PAGE, "r")
    conversation, since = str(redis_client.lindex(key, 0)).split(" ")
    redis_client.lset(key, 0, f"{conversation} {float(since) - 100:.6f}")
    found = shown(sample.read())
    assert 100 <= found["envoi_waiting_oldest_seconds"][(("lane", "replies"),)] < 160
    assert found["envoi_waiting_oldest_seconds"][(("lane", "bulk"),)] == 0
    queue.pause(PAGE, "by an operator")  # it is no longer for want of workers that it waits
    assert total(shown(sample.read()), "envoi_waiting_oldest_seconds") == 0


def test_what_workers_hold_retry_and_leave_is_counted(queue: Queue, sample: QueueSample) -> None:
    worker = Worker(queue, "w1")
    queue.enqueue([job(str(number)) for number in range(3)])
    [first, *_] = worker.claim(3)
    queue.trip([Done(first, "retry", [], error=GraphError("no"), seconds=60.0)])
    found = shown(sample.read())
    assert found["envoi_leases"] == {(): 2}
    assert found["envoi_due_conversations"] == {(): 1}
    assert found["envoi_workers"] == {(): 1}
    assert found["envoi_overdue"] == {(): 0}


def test_a_shut_gate_and_a_shut_door_show(queue: Queue, sample: QueueSample, redis_client: redis.Redis) -> None:
    queue.refuse_all()
    redis_client.script_flush()
    found = shown(sample.read())
    assert found["envoi_gate_open"] == found["envoi_door_open"] == {(): 0}


def test_of_many_pages_some_are_looked_at_in_a_turn_until_all_were(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "PAGES", 3)
    monkeypatch.setattr("scheduler.queue_sample.PAGES", 3)
    queue.enqueue([Job(page=str(page), recipient="1", message="x") for page in range(1, 9)])
    sample = QueueSample(queue)
    seen = [total(shown(sample.read()), "envoi_waiting_conversations") for _ in range(4)]
    assert seen == [3, 6, 8, 8]
    queue.trip([Claim(8, "w:1")])
    for _ in range(3):
        found = shown(sample.read())
    assert total(found, "envoi_waiting_conversations") == 0


def test_a_sample_costs_no_more_commands_with_more_jobs(
    queue: Queue, sample: QueueSample, redis_client: redis.Redis
) -> None:
    def commands() -> int:
        before = int(redis_client.info("stats")["total_commands_processed"])
        sample.read()
        return int(redis_client.info("stats")["total_commands_processed"]) - before

    queue.enqueue([job("1")])
    few = commands()
    for start in range(0, 2000, 200):
        queue.enqueue([job(str(number)) for number in range(start, start + 200)])
    assert commands() == few < 60


def test_no_recipient_and_no_text_is_in_a_sample(queue: Queue, sample: QueueSample) -> None:
    queue.enqueue([Job(page=PAGE, recipient="7000000000001234", message="swordfish")])
    queue.pause("2", "the secret sale of swordfish")
    text = generate_latest(registry_of(sample.read)).decode()
    assert not any(secret in text for secret in ("7000000000001234", "swordfish"))


def test_the_log_counts_what_settles_and_what_ended_unknown(migrated_url: str) -> None:
    engine = open_log(migrated_url)
    now = datetime.now(UTC)
    row = {"page_id": "1", "recipient_kind": "id", "recipient": "1", "lane": "replies", "attempts": 1, "payload": None}
    rows = [
        {"id": "a", "state": "settling", "enqueued_at": now - timedelta(seconds=50), "settled_at": None},
        {"id": "b", "state": "settling", "enqueued_at": now - timedelta(seconds=20), "settled_at": None},
        {
            "id": "c",
            "state": "unknown",
            "enqueued_at": now - timedelta(hours=2),
            "settled_at": now - timedelta(hours=1),
        },
        {"id": "d", "state": "unknown", "enqueued_at": now - timedelta(days=3), "settled_at": now - timedelta(days=2)},
        {"id": "e", "state": "sent", "enqueued_at": now, "settled_at": now},
    ]
    assert total(shown(read_log(engine)), "envoi_settling_oldest_seconds") == 0
    with engine.begin() as connection:
        connection.execute(insert(jobs), [{**row, **one} for one in rows])
    found = shown(read_log(engine))
    engine.dispose()
    assert found["envoi_settling_jobs"] == {(): 2}
    assert 50 <= found["envoi_settling_oldest_seconds"][()] < 110
    assert found["envoi_unknown_jobs"] == {(): 1}


def test_the_outbox_counts_what_waits_and_what_was_refused(sqlite_url: str) -> None:
    engine = create_engine(sqlite_url)
    with pytest.raises(OutboxUnavailable):
        read_outbox(engine)
    metadata.create_all(engine)
    assert shown(read_outbox(engine))["envoi_outbox_oldest_seconds"] == {(): 0}
    with engine.begin() as connection:
        app_outbox.send_many(connection, [job(str(number)) for number in range(3)])
        connection.execute(outbox.update().values(created_at=datetime.now(UTC) - timedelta(seconds=30)))
        connection.execute(outbox.update().where(outbox.c.id == 1).values(error="KeyConflict: …"))
    found = shown(read_outbox(engine))
    engine.dispose()
    assert found["envoi_outbox_rows"] == {(("state", "waiting"),): 2, (("state", "refused"),): 1}
    assert 30 <= found["envoi_outbox_oldest_seconds"][()] < 90


def test_the_log_writer_counts_the_events_that_it_copies_by_state(queue: Queue, engine: Engine) -> None:
    queue.enqueue([job("1"), job("2")])
    queue.enqueue([job("3", in_seconds=60)])
    writer = LogWriter(queue, engine)
    while not writer.copied:
        writer.turn()
    assert writer.states == {"queued": 2, "scheduled": 1}
