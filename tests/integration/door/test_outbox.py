"""The outbox in a real SQLite and a real PostgreSQL: with the app's transaction or not at all, once, in order."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, insert, select, text
from sqlalchemy.orm import Session, sessionmaker

from demo.ports import free_port
from envoi import InvalidJob, Job, QueueUnavailable, outbox
from envoi.client import open_queue
from envoi.entry import outbox_entry
from envoi.outbox import Relay, relay
from envoi.outbox.database import open_outbox
from envoi.queue.keys import Keys
from envoi.queue.queue import Queue
from envoi.sendapi.tags import RetiredTag
from tests.waiting import wait_until_equal

ROOT = Path(__file__).parents[3]
KEYS = Keys()
ORDERS = "CREATE TABLE orders (name text)"


@pytest.fixture
def queue(redis_url: str) -> Iterator[Queue]:
    """An open queue."""
    found = open_queue(redis_url)
    found.open_gate(found.run_id())
    yield found
    found.redis.close()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An app's database, once in SQLite and once in PostgreSQL, with a table of its own and the outbox."""
    found = open_outbox(database_url)
    outbox.metadata.create_all(found)
    with found.begin() as connection:
        connection.execute(text(ORDERS))
    yield found
    found.dispose()


@pytest.fixture
def relaying(engine: Engine, queue: Queue) -> Relay:
    """A relay between the two."""
    return Relay(engine, queue)


def rows(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(outbox.outbox).order_by(outbox.outbox.c.id)))


def orders(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM orders")).scalar_one())


def line(queue: Queue, person: str = "7") -> list[str]:
    """The texts that wait for a person, in order."""
    ids: Any = queue.redis.lrange(KEYS.line(f"100/id/{person}"), 0, -1)
    found: Any = queue.redis.mget([KEYS.job(job_id) for job_id in ids]) if ids else []
    return [json.loads(job.split("\n", 1)[1])["message"]["text"] for job in found]


def put(engine: Engine, *texts: str, person: str = "7", **options: Any) -> list[str]:
    """One transaction each."""
    ids = []
    for message in texts:
        with Session(engine) as session, session.begin():
            ids.append(outbox.send(session, "100", person, message, **options))
    return ids


def test_a_job_goes_with_the_apps_transaction_or_not_at_all(engine: Engine, queue: Queue, relaying: Relay) -> None:
    with Session(engine) as session, session.begin():
        session.execute(text("INSERT INTO orders VALUES ('kept')"))
        job_id = outbox.send(session, "100", "7", "kept", key="k")
        assert relaying.turn() == 0 if engine.dialect.name == "postgresql" else True, "not committed yet"
    with Session(engine) as session:
        session.execute(text("INSERT INTO orders VALUES ('undone')"))
        outbox.send(session, "100", "7", "undone")
        session.rollback()
    assert line(queue) == []
    assert relaying.turn() == 1
    assert (orders(engine), line(queue), rows(engine)) == (1, ["kept"], [])
    assert queue.status(job_id)["state"] == "queued"
    assert relaying.turn() == 0


def test_a_bad_job_is_told_at_once_and_nothing_is_written(engine: Engine) -> None:
    with Session(engine) as session, session.begin(), pytest.raises(InvalidJob, match=r"message\.text: at most 2000"):
        outbox.send(session, "100", "7", "x" * 2001)
    assert rows(engine) == []


def test_a_job_arrives_as_it_was_written(engine: Engine, queue: Queue, relaying: Relay) -> None:
    at = datetime.now(UTC) + timedelta(hours=1)
    given: dict[str, Any] = {
        "message": {"text": "hi", "metadata": "mine"}, "key": "k", "lane": "bulk", "at": at, "typing": 3,
        "expires_at": at + timedelta(hours=1), "on_outcome": "stream:shop", "max_attempts": 3, "mark_seen": True,
    }  # fmt: skip  # one option after the other
    with engine.begin() as connection:
        job_id = outbox.send(connection, "100", "7", **given)
    relaying.turn()
    assert queue.status(job_id)["state"] == "scheduled"
    stored = str(queue.redis.get(KEYS.job(job_id)))
    queue.redis.delete(*queue.redis.keys("*k:100:*"))
    [direct] = queue.enqueue([Job(page="100", recipient="7", **given)])
    assert stored.replace(job_id, "ID") == str(queue.redis.get(KEYS.job(direct))).replace(direct, "ID")


def test_transactions_that_follow_each_other_keep_their_order(
    engine: Engine, queue: Queue, relaying: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "BATCH", 4)
    with Session(engine) as session, session.begin():
        outbox.send_many(session, [Job(page="100", recipient="7", message=f"{n}") for n in range(5)])
    put(engine, *(f"{n}" for n in range(5, 10)))
    assert [relaying.turn() for _ in range(4)] == [4, 4, 2, 0]
    assert line(queue) == [f"{n}" for n in range(10)]


def test_a_relay_that_died_before_it_deleted_enqueues_nothing_twice(
    engine: Engine, queue: Queue, relaying: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = put(engine, "one", "two")
    with monkeypatch.context() as dying:

        def die(*_: object) -> None:
            raise KeyboardInterrupt

        dying.setattr(relay, "delete", die)
        with pytest.raises(KeyboardInterrupt):
            relaying.turn()
    assert len(rows(engine)) == 2
    assert line(queue) == ["one", "two"]
    queue.cancel(ids[0])  # one of them has its outcome meanwhile
    assert relaying.turn() == 2
    assert rows(engine) == []
    assert line(queue) == ["two"]
    assert len(queue.redis.keys(KEYS.job("*"))) == 2
    assert queue.status(ids[0])["state"] == "cancelled"


def test_without_redis_rows_wait_and_nothing_is_locked(engine: Engine, queue: Queue, relaying: Relay) -> None:
    put(engine, "one")
    away = Relay(engine, open_queue(f"redis://127.0.0.1:{free_port()}/0"))
    with pytest.raises(QueueUnavailable):
        away.turn()
    put(engine, "two")
    assert len(rows(engine)) == 2
    assert relaying.turn() == 2
    assert line(queue) == ["one", "two"]


def test_a_refused_row_says_why_and_stops_nothing(engine: Engine, queue: Queue, relaying: Relay) -> None:
    queue.enqueue([Job(page="100", recipient="8", message="first", key="taken")])
    one, refused, two = (
        *put(engine, "one"),
        *put(engine, "conflict", key="taken"),
        *put(engine, "two"),
    )
    with engine.begin() as connection:
        spoilt = {"job_id": "SPOILT", "job": '{"id": "SPOILT", "page": "x y"}', "created_at": datetime.now(UTC)}
        connection.execute(insert(outbox.outbox).values(spoilt))
    assert relaying.turn() == 4
    assert line(queue) == ["one", "two"]
    assert queue.status(one)["state"] == queue.status(two)["state"] == "queued"
    with engine.connect() as connection:
        waiting = outbox.waiting(connection, refused=True)
    assert [row.job_id for row in waiting] == [refused, "SPOILT"]
    assert "KeyConflict: key: taken by job" in str(waiting[0].error)
    assert "page: must be" in str(waiting[1].error)
    assert waiting[0].refused_at is not None
    assert relaying.turn() == 0
    queue.redis.delete(*queue.redis.keys("*k:100:*"))  # the key is free again
    with engine.begin() as connection:
        assert outbox.retry(connection, [refused]) == 1
    assert relaying.turn() == 1
    assert line(queue) == ["one", "two", "conflict"]
    assert [row.job_id for row in rows(engine)] == ["SPOILT"]


def test_one_relay_works_at_a_time(engine: Engine, queue: Queue, relaying: Relay) -> None:
    put(engine, "one")
    if engine.dialect.name == "postgresql":
        with engine.begin() as other:
            assert relay._locked(other)
            assert relaying.turn() == 0
            assert len(rows(engine)) == 1
    else:
        quick = create_engine(engine.url, connect_args={"timeout": 0.05})
        with engine.begin() as other:
            assert relay._locked(other)
            with pytest.raises(outbox.OutboxUnavailable, match="database is locked"):
                Relay(quick, queue).turn()
        quick.dispose()
    assert relaying.turn() == 1
    assert line(queue) == ["one"]


def test_many_relays_and_producers_at_once_lose_and_double_nothing(
    engine: Engine, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "BATCH", 7)
    monkeypatch.setattr(relay, "_PAUSE_FIRST", 0.01)
    stop = threading.Event()
    relays = [Relay(engine, queue) for _ in range(3)]
    threads = [threading.Thread(target=one.run, args=(stop,)) for one in relays]
    people = ("1", "2", "3")
    producers = [
        threading.Thread(target=lambda person=person: put(engine, *(f"{n}" for n in range(30)), person=person))
        for person in people
    ]
    for thread in [*threads, *producers]:
        thread.start()
    for thread in producers:
        thread.join()
    wait_until_equal(lambda: rows(engine), [], "the outbox")
    stop.set()
    for one, thread in zip(relays, threads, strict=True):
        one.wake()
        thread.join()
    for person in people:
        assert line(queue, person) == [f"{n}" for n in range(30)]


def test_a_commit_wakes_the_relay_of_its_process(
    engine: Engine, queue: Queue, relaying: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "PERIOD", 60.0)
    sessions = sessionmaker(engine)
    outbox.relay_after_commit(sessions, relaying)
    stop = threading.Event()
    working = threading.Thread(target=relaying.run, args=(stop,))
    working.start()
    try:
        with sessions.begin() as session:
            outbox.send(session, "100", "7", "now")
        wait_until_equal(lambda: line(queue), ["now"])
        with sessions.begin() as session:
            outbox.send(session, "100", "7", "and now")
        wait_until_equal(lambda: line(queue), ["now", "and now"])
    finally:
        stop.set()
        relaying.wake()
        working.join()


def test_a_retired_tag_is_judged_when_the_app_sends_and_not_again(
    engine: Engine, queue: Queue, relaying: Relay, recwarn: pytest.WarningsRecorder
) -> None:
    with pytest.warns(RetiredTag):
        put(engine, "shipped", messaging_type="MESSAGE_TAG", tag="POST_PURCHASE_UPDATE")
    recwarn.clear()
    assert relaying.turn() == 1
    assert len(recwarn) == 0
    assert line(queue) == ["shipped"]


def test_an_entry_written_without_sqlalchemy_is_relayed_too(engine: Engine, queue: Queue, relaying: Relay) -> None:
    entry = outbox_entry("100", "7", "from another ORM")
    with engine.begin() as connection:
        created = entry.created_at.isoformat() if engine.dialect.name == "postgresql" else "2026-11-24 12:00:00"
        connection.execute(
            text("INSERT INTO envoi_outbox (job_id, job, created_at) VALUES (:job_id, :job, :created_at)"),
            {"job_id": entry.job_id, "job": entry.job, "created_at": created},
        )
    assert relaying.turn() == 1
    assert queue.status(entry.job_id)["state"] == "queued"
    assert line(queue) == ["from another ORM"]


def test_an_entry_needs_no_sqlalchemy_and_the_outbox_says_that_it_does() -> None:
    program = "import sys; sys.modules['sqlalchemy'] = None; from envoi.entry import outbox_entry; import envoi.outbox"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)
    assert "envoi.outbox needs SQLAlchemy" in ran.stderr


def test_a_database_without_the_table_is_told(database_url: str, queue: Queue) -> None:
    empty = open_outbox(database_url)
    with pytest.raises(outbox.OutboxUnavailable, match="no table envoi_outbox"):
        Relay(empty, queue).turn()
    empty.dispose()


def test_the_command_relays_until_it_is_told_to_stop(
    engine: Engine, queue: Queue, redis_url: str, envoi_command: Callable[..., subprocess.Popen[str]]
) -> None:
    put(engine, "one")
    relay_process = envoi_command("outbox", "relay")
    try:
        wait_until_equal(lambda: line(queue), ["one"])
        put(engine, "two")
        wait_until_equal(lambda: line(queue), ["one", "two"])
    finally:
        relay_process.send_signal(signal.SIGTERM)
        _, err = relay_process.communicate(timeout=30)
    assert relay_process.returncode == 0, err
    assert redis_url
    assert rows(engine) == []


@pytest.fixture
def envoi_command(engine: Engine, redis_url: str) -> Callable[..., subprocess.Popen[str]]:
    """Starts the command `envoi` in a process of its own."""

    def start(*arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "envoi", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "ENVOI_REDIS_URL": redis_url,
                "ENVOI_OUTBOX_DATABASE_URL": engine.url.render_as_string(hide_password=False),
            },
        )

    return start
