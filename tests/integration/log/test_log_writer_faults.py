"""Whatever dies, restarts or lies: every event comes into the log once, and nothing needed leaves Redis."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from sqlalchemy import Engine, event, select, text
from structlog.testing import capture_logs

from demo.postgres_server import PostgresServer
from demo.redis_server import RedisServer
from envoi.errors import QueueUnavailable
from envoi.events import GraphError
from envoi.log import queries, schema
from envoi.log.database import open_log
from envoi.log.errors import LogUnavailable, SchemaMissing
from envoi.log.tables import cursor
from envoi.queue.connection import connect
from envoi.queue.queue import Queue
from envoi.settings import Settings
from envoi.states import State
from scheduler import log_writer
from scheduler.log_sink import LogSink
from scheduler.log_stream import EventStream
from scheduler.log_writer import LogWriter
from tests.integration.log.teller import Teller, all_calls, all_jobs, copy_all
from tests.waiting import wait_until, wait_until_equal


class DiedError(Exception):
    """The process ends here."""


@contextmanager
def running(*writers: LogWriter) -> Iterator[None]:
    """Writers, each in a thread of its own."""
    stop = threading.Event()
    threads = [threading.Thread(target=writer.run, args=(stop,)) for writer in writers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)
    assert not any(thread.is_alive() for thread in threads)


def sent(engine: Engine) -> int:
    return queries.count_by_state(engine).get(State.SENT, 0)


def test_two_writers_that_both_think_they_are_the_one_write_nothing_twice_and_leave_nothing_out(
    queue: Queue, engine: Engine, teller: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_writer, "BATCH", 5)
    monkeypatch.setattr("scheduler.lease._HOLD", "return {ARGV[1]}")  # no lease holds anybody back
    writers = [LogWriter(queue, engine) for _ in range(2)]
    with running(*writers):
        ids = teller.enqueue(100)
        for job_id in ids:
            teller.send(job_id)
        wait_until(lambda: sent(engine) == 100 and not teller.waiting, "all is logged")
    assert len(all_calls(engine)) == 300
    # Each event was committed by one of the two; what the other made of it was rolled back.
    assert sum(writer.copied for writer in writers) == 500


def test_one_of_two_writers_waits_until_the_other_has_gone(queue: Queue, engine: Engine, teller: Teller) -> None:
    first, second = LogWriter(queue, engine), LogWriter(queue, engine)
    [job_id] = teller.enqueue()
    assert first.turn() == 1
    teller.send(job_id)
    assert second.turn() == 0
    assert [writer.active for writer in (first, second)] == [True, False]
    first.release()
    copy_all(second, teller)
    assert [writer.active for writer in (first, second)] == [False, True]
    assert sent(engine) == 1
    teller.enqueue()
    assert first.turn() == 0
    for writer in (first, second):
        writer.release()


def test_a_writer_whose_lease_ran_out_writes_no_more_once_another_has_begun(
    queue: Queue, engine: Engine, teller: Teller
) -> None:
    slow, quick = LogWriter(queue, engine), LogWriter(queue, engine)
    [job_id] = teller.enqueue()
    copy_all(slow, teller)
    teller.send(job_id)
    reading = slow._stream.read("0-0", 100)
    assert reading is not None
    queue.redis.delete(queue.keys.log_lease)
    copy_all(quick, teller)
    assert slow._cursor is not None
    assert slow._copier.copy(slow._cursor, reading.entries) is None
    assert len(all_calls(engine)) == 3
    slow.release()
    quick.release()


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_writer_that_dies_between_its_commit_and_cleaning_up_is_followed_by_one_that_does_both(
    queue: Queue, engine: Engine, teller: Teller, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    ids = teller.enqueue(3)
    for job_id in ids:
        teller.send(job_id)
    clean = EventStream.clean

    def die(stream: EventStream, *arguments: Any) -> bool:
        if moment == "after":
            clean(stream, *arguments)
        raise DiedError

    dying = LogWriter(queue, engine)
    with monkeypatch.context() as patch:
        patch.setattr(EventStream, "clean", die)
        with pytest.raises(DiedError):
            dying.turn()
    assert sent(engine) == 3
    assert teller.waiting == (15 if moment == "before" else 0)
    queue.redis.delete(queue.keys.log_lease)  # it would run out
    follower = LogWriter(queue, engine)
    assert follower.turn() == 0
    assert teller.waiting == 0
    assert queue.redis.exists(*(queue.keys.job(job_id) for job_id in ids)) == 0
    assert len(all_calls(engine)) == 9
    follower.release()


def test_a_writer_that_does_not_learn_whether_it_has_committed_asks_the_cursor(
    queue: Queue, engine: Engine, teller: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = LogWriter(queue, engine)
    writer.turn()
    [job_id] = teller.enqueue()
    teller.send(job_id)
    write = LogSink.write

    def lost_answer(*arguments: Any) -> bool:
        write(*arguments)
        raise LogUnavailable("the answer to COMMIT was lost")

    with monkeypatch.context() as patch:
        patch.setattr(LogSink, "write", lost_answer)
        with pytest.raises(LogUnavailable):
            writer.turn()
    copy_all(writer, teller)
    assert sent(engine) == 1
    assert len(all_calls(engine)) == 3
    assert not queue.redis.exists(queue.keys.job(job_id))
    writer.release()


def test_postgres_may_be_away_in_the_middle(queue: Queue, teller: Teller) -> None:
    with PostgresServer() as server:
        engine = open_log(server.url)
        schema.upgrade(engine)
        writer = LogWriter(queue, engine)
        with capture_logs() as lines, running(writer):
            ids = teller.enqueue(50)
            for job_id in ids[:25]:
                teller.send(job_id)
            wait_until_equal(lambda: sent(engine), 25, "jobs sent")
            server.stop()
            for job_id in ids[25:]:
                teller.send(job_id)
            time.sleep(1)
            assert teller.waiting >= 100  # they wait in Redis
            server.start()
            wait_until_equal(lambda: teller.waiting, 0, "events not logged")
            assert sent(engine) == 50
            assert len(all_calls(engine)) == 150
        engine.dispose()
    told = [line for line in lines if line["log_level"] == "warning"]
    assert len(told) <= 2, told  # not a line a try
    assert any(line["event"] == "works again" for line in lines)


def test_a_statement_that_takes_too_long_is_tried_again(queue: Queue, postgres_url: str, teller: Teller) -> None:
    engine = open_log(postgres_url)
    schema.upgrade(engine)
    writer = LogWriter(queue, engine)
    writer.turn()

    @event.listens_for(engine, "begin")
    def hurry(connection: Any) -> None:
        connection.exec_driver_sql("SET LOCAL statement_timeout = '1ms'")
        connection.exec_driver_sql("SET LOCAL lock_timeout = '1ms'")

    teller.enqueue()
    with engine.connect() as holder:
        holder.execute(text("LOCK TABLE jobs"))
        with pytest.raises(LogUnavailable):
            writer.turn()
    event.remove(engine, "begin", hurry)
    copy_all(writer, teller)
    assert len(all_jobs(engine)) == 1
    writer.release()
    engine.dispose()


def test_a_database_without_tables_is_waited_for(queue: Queue, database_url: str, teller: Teller) -> None:
    engine = open_log(database_url)
    writer = LogWriter(queue, engine)
    teller.enqueue()
    with pytest.raises(SchemaMissing, match="envoi migrate"):
        writer.turn()
    with running(writer):
        schema.upgrade(engine)
        wait_until_equal(lambda: teller.waiting, 0, "events not logged")
    assert len(all_jobs(engine)) == 1
    engine.dispose()


def test_redis_may_restart_in_the_middle(engine: Engine) -> None:
    with RedisServer(aof=True) as server:
        client = connect(server.url)
        queue = Queue(client, Settings())
        client.set(queue.keys.epoch, "open")
        teller, writer = Teller(queue), LogWriter(queue, engine)
        with running(writer):
            for _ in range(3):
                for job_id in teller.enqueue(10):
                    teller.send(job_id)
                server.stop()  # some of it copied, some not
                server.start()
            wait_until_equal(lambda: teller.waiting, 0, "events not logged")
        assert sent(engine) == 30
        assert len(all_calls(engine)) == 90
        client.close()


def test_a_redis_that_numbers_its_events_below_the_cursor_is_copied_from_its_beginning(engine: Engine) -> None:
    with RedisServer(aof=False) as server:
        client = connect(server.url)
        queue = Queue(client, Settings())
        client.set(queue.keys.epoch, "open")
        teller, writer = Teller(queue), LogWriter(queue, engine)
        [before] = teller.enqueue()
        copy_all(writer, teller)
        server.restart()  # all is forgotten, and its clock was set back
        for number, state in enumerate(("queued", "sending"), 1):
            teller.append({"e": state, "j": "AFTER", "t": "1700000000", "a": "1"}, position=f"{number}-0")
        copy_all(writer, teller)
        assert {job_id: row.state for job_id, row in all_jobs(engine).items()} == {
            before: "queued",
            "AFTER": "sending",
        }
        writer.release()
        client.close()


def test_after_a_redis_that_lost_its_last_moments_every_job_ends_as_redis_has_it_and_sent_stays_sent(
    engine: Engine, tmp_path: Path
) -> None:
    with RedisServer(aof=True) as server:
        client = connect(server.url)
        queue = Queue(client, Settings())
        client.set(queue.keys.epoch, "open")
        teller, writer = Teller(queue), LogWriter(queue, engine)
        accepted, failed, cancelled = teller.enqueue(3)
        for job_id in (accepted, failed, cancelled):
            teller.tell(job_id, State.SENDING)
        server.stop()
        shutil.copytree(server.folder / "appendonlydir", tmp_path / "kept")
        server.start()
        # What follows is copied, cleaned up, and then lost.
        teller.send(accepted)
        teller.tell(failed, State.FAILED, error=GraphError("refused", 100))
        teller.tell(cancelled, State.CANCELLED)
        copy_all(writer, teller)
        assert sorted(row.state for row in all_jobs(engine).values()) == ["cancelled", "failed", "sent"]
        server.kill()
        shutil.rmtree(server.folder / "appendonlydir")
        shutil.copytree(tmp_path / "kept", server.folder / "appendonlydir")
        server.start()
        assert teller.waiting == 6
        copy_all(writer, teller)
        rows = all_jobs(engine)
        assert (rows[accepted].state, rows[accepted].message_id) == ("sent", f"m_{accepted}")
        assert (rows[failed].state, rows[failed].settled_at) == ("sending", None)  # what Redis holds true
        assert rows[cancelled].state == "sending"
        assert client.exists(*(queue.keys.job(job_id) for job_id in rows)) == 3  # Redis needs them still
        # Redis goes on from there, to other ends.
        teller.tell(accepted, State.UNKNOWN, error=GraphError("no answer that says"))
        teller.tell(failed, State.SENT, message_id="m_failed")
        teller.tell(cancelled, State.UNKNOWN, error=GraphError("no answer that says"))
        copy_all(writer, teller)
        rows = all_jobs(engine)
        assert (rows[accepted].state, rows[accepted].error_message) == ("sent", None)
        assert (rows[failed].state, rows[failed].message_id, rows[failed].error_message) == ("sent", "m_failed", None)
        assert rows[cancelled].state == "unknown"
        assert len(all_calls(engine)) == 3
        writer.release()
        client.close()


def test_without_redis_the_writer_says_so_at_once_and_keeps_its_pauses(
    engine: Engine, connection_tries: list[object]
) -> None:
    with RedisServer(aof=True) as server:
        client = redis.Redis(port=server.port, decode_responses=True)  # this one would try again for seconds
        queue = Queue(client, Settings())
        client.set(queue.keys.epoch, "open")
        teller, writer = Teller(queue), LogWriter(queue, engine)
        teller.enqueue()
        server.stop()
        for ask in (writer.turn, writer.lag, writer.release):
            connection_tries.clear()
            with pytest.raises(QueueUnavailable):
                ask()
            assert len(connection_tries) == 1, ask
        with running(writer):
            server.start()
            wait_until_equal(lambda: len(all_jobs(engine)), 1, "rows")
        client.close()


def test_a_batch_is_not_cleaned_up_in_another_run_of_redis(queue: Queue, teller: Teller) -> None:
    stream = EventStream(queue, 5.0)
    [job_id] = teller.enqueue()
    assert not stream.clean("another-run", "9999999999999-0", [job_id], ["x"])
    assert teller.waiting == 1
    assert queue.redis.exists(queue.keys.job(job_id))
    reading = stream.read("0-0", 10)
    assert reading is not None
    assert stream.clean(reading.run, reading.entries[-1][0], [job_id], [])
    assert teller.waiting == 0
    assert not queue.redis.exists(queue.keys.job(job_id))


def test_a_writer_starts_and_cleans_up_where_redis_is_full() -> None:
    with RedisServer(aof=False) as server:
        client = connect(server.url)
        queue = Queue(client, Settings())
        client.set(queue.keys.epoch, "open")
        teller = Teller(queue)
        teller.enqueue(5)
        client.config_set("maxmemory", 1)
        engine = open_log(f"sqlite:///{server.folder}/log.sqlite3")
        schema.upgrade(engine)
        writer = LogWriter(queue, engine)
        copy_all(writer, teller)
        assert len(all_jobs(engine)) == 5
        writer.release()
        engine.dispose()
        client.close()


@pytest.mark.parametrize(
    "fields",
    [
        {"j": "A", "t": "1"},
        {"e": "dancing", "j": "A", "t": "1"},
        {"e": "queued", "j": "A", "t": "yesterday"},
        {"e": "queued", "j": "A", "t": "1e300"},
        {"e": "note", "j": "A", "t": "1", "c": "{"},
        {"e": "note", "j": "A", "t": "1", "c": "5"},
        {"e": "note", "j": "A", "t": "1", "c": '[{"step": "message"}]'},
        {"e": "note", "j": "A", "t": "1", "c": '[{"step":"x","started_at":1,"duration_ms":NaN,"verdict":"y"}]'},
        {"e": "note", "j": "A", "t": "1", "c": '[{"step":null,"started_at":1,"duration_ms":1,"verdict":"y"}]'},
        {"e": b"\xff\xfe", "j": "A", "t": "1"},
    ],
)
def test_an_event_that_cannot_be_read_or_stored_is_set_aside_and_the_rest_is_copied(
    queue: Queue, engine: Engine, writer: LogWriter, teller: Teller, fields: dict[str, Any]
) -> None:
    ids = teller.enqueue(5)
    position = teller.append(fields)
    for job_id in ids:
        teller.send(job_id)
    with capture_logs() as lines:
        copy_all(writer, teller)
    assert sent(engine) == 5
    assert len(all_calls(engine)) == 15
    assert writer.set_aside == 1
    [aside] = queue.redis.lrange(f"{queue.keys.base}ev:bad", 0, -1)
    assert json.loads(aside)["position"] == position
    [told] = [line for line in lines if line["action"] == "event_set_aside"]
    assert told["log_level"] == "error"
    assert told["position"] == position


def test_a_value_that_only_the_database_refuses_is_set_aside_and_nothing_of_it_is_told(
    queue: Queue, postgres_url: str, teller: Teller
) -> None:
    engine = open_log(postgres_url)
    schema.upgrade(engine)
    writer = LogWriter(queue, engine)
    first, last = teller.enqueue(2)
    teller.tell(first, State.FAILED, error=GraphError("too much", code=10**30))
    teller.tell(first, State.FAILED, error=GraphError("no number", code="secret"))  # type: ignore[arg-type]  # the fault
    teller.send(last)
    with capture_logs() as lines:
        copy_all(writer, teller)
    assert writer.set_aside == 2
    assert {job_id: row.state for job_id, row in all_jobs(engine).items()} == {first: "queued", last: "sent"}
    assert "secret" not in repr(lines)
    assert queue.redis.exists(queue.keys.job(first))  # its outcome is not in the log
    writer.release()
    engine.dispose()


def test_no_more_than_a_thousand_entries_are_set_aside(queue: Queue, teller: Teller) -> None:
    stream = EventStream(queue, 5.0)
    teller.enqueue()
    reading = stream.read("0-0", 10)
    assert reading is not None
    for part in range(3):
        assert stream.clean(reading.run, "0-1", [], [f"{part}.{number}" for number in range(500)])
    kept = queue.redis.lrange(f"{queue.keys.base}ev:bad", 0, -1)
    assert len(kept) == 1000
    assert kept[0] == "2.499"


def test_the_cursor_moves_with_the_rows_or_not_at_all(queue: Queue, engine: Engine, teller: Teller) -> None:
    writer = LogWriter(queue, engine)
    writer.turn()
    teller.enqueue()

    def fail(_connection: object) -> None:
        raise DiedError

    event.listen(engine, "commit", fail)
    with pytest.raises(DiedError):
        writer.turn()
    event.remove(engine, "commit", fail)
    with engine.connect() as connection:
        assert connection.execute(select(cursor.c.position)).scalar_one() == "0-0"
    assert all_jobs(engine) == {}
    copy_all(writer, teller)
    assert len(all_jobs(engine)) == 1
    writer.release()
