"""What events become in the log, and what is left in Redis behind them."""

from __future__ import annotations

import random
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import redis
from sqlalchemy import Engine, event

from envoi.action import Action
from envoi.events import CallRecord, GraphError
from envoi.job import Job
from envoi.log import queries
from envoi.queue.begin import Begin
from envoi.queue.claim import Claim
from envoi.queue.done import Done
from envoi.queue.queue import Queue
from envoi.queue.scripts import script
from envoi.sendapi.recipient import TOKEN_BYTES
from envoi.settings import Settings
from envoi.states import State
from scheduler import log_copier, log_writer
from scheduler.log_writer import LogWriter
from tests.integration.log.teller import Teller, all_calls, all_jobs, copy_all
from tests.waiting import PATIENCE, wait_until


def test_a_job_is_logged_as_it_was_enqueued(queue: Queue, engine: Engine, writer: LogWriter, teller: Teller) -> None:
    expires = datetime.now(UTC) + timedelta(days=1)
    job = Job(page="P", recipient="7", message="Grüße 👋", key="order-1", lane="bulk", expires_at=expires)
    before = queue.time()
    [job_id] = queue.enqueue([job])
    after = queue.time()
    copy_all(writer, teller)
    logged = queries.job(engine, job_id)
    assert logged is not None
    assert (logged.key, logged.page_id, logged.recipient_kind, logged.recipient) == ("order-1", "P", "id", "7")
    assert (logged.lane, logged.state, logged.attempts) == ("bulk", State.QUEUED, 0)
    assert logged.expires_at == expires
    assert logged.payload is not None
    assert logged.payload["message"] == {"text": "Grüße 👋"}
    assert logged.payload["id"] == job_id
    assert before <= logged.enqueued_at.timestamp() <= after


def test_the_longest_recipient_and_key_fit_into_the_log(
    queue: Queue, engine: Engine, writer: LogWriter, teller: Teller
) -> None:
    letters = random.Random(1)  # noqa: S311  # what repeats nothing is not made shorter by a database
    ref = "".join(chr(letters.randrange(0x10000, 0x20000)) for _ in range(TOKEN_BYTES // 4))
    key = "".join(chr(letters.randrange(0x10000, 0x20000)) for _ in range(255))
    job_id = queue.enqueue([Job(page="9" * 64, recipient={"user_ref": ref}, message="x", key=key)])[0]
    copy_all(writer, teller)
    logged = queries.job(engine, job_id)
    assert logged is not None
    assert (logged.recipient, logged.key) == (ref, key)
    assert queue.redis.exists(queue.keys.aside) == 0


def test_a_rescheduled_job_is_logged_with_its_new_times(
    queue: Queue, engine: Engine, writer: LogWriter, teller: Teller
) -> None:
    queue.redis.script_load(script("reschedule").text)
    first, later = (datetime.now(UTC) + timedelta(days=days) for days in (1, 2))
    [scheduled, waiting] = queue.enqueue(
        [Job(page="P", recipient="7", message="x", at=first), Job(page="P", recipient="8", message="x")]
    )
    copy_all(writer, teller)
    assert [queue.reschedule(job_id, later) for job_id in (scheduled, waiting)] == ["scheduled", "scheduled"]
    copy_all(writer, teller)
    for job_id in (scheduled, waiting):
        logged = queries.job(engine, job_id)
        assert logged is not None
        assert (logged.state, logged.due_at) == (State.SCHEDULED, later)
        assert logged.expires_at == later + timedelta(seconds=queue.settings.replies_age)


def test_the_real_scripts_lead_to_a_sent_job_with_its_calls(
    queue: Queue, engine: Engine, writer: LogWriter, teller: Teller
) -> None:
    queue.redis.script_load(script("claim").text)
    [job_id] = queue.enqueue([Job(page="P", recipient="7", message="x")])
    [catch] = queue.trip([Claim(1, "fence")])
    [held] = catch.claimed
    began = time.time()
    typed = CallRecord("typing_on", began, 1.5, "Accepted", 200)
    message = CallRecord("message", began + 0.1, 90.25, "Accepted", 200, fbtrace_id="trace", message_id="m_1")
    ended = CallRecord("typing_off", began + 0.2, 3.5, "Accepted", 200)
    queue.trip([Begin(held, began, [typed])])
    queue.trip([Done(held, "keep", [typed, message], message_id="m_1", recipient_id="7")])
    queue.trip([Done(held, "settle", [typed, message, ended], state=State.SENT, message_id="m_1", recipient_id="7")])
    copy_all(writer, teller)
    logged = queries.job(engine, job_id)
    assert logged is not None
    assert (logged.state, logged.message_id, logged.recipient_id, logged.attempts) == (State.SENT, "m_1", "7", 1)
    assert logged.sent_at is not None
    assert logged.settled_at is not None
    assert logged.enqueued_at <= logged.sent_at < logged.settled_at
    calls = queries.calls_of(engine, job_id)
    assert [(call.step, call.attempt, call.duration_ms) for call in calls] == [
        ("typing_on", 1, 1.5),
        ("message", 1, 90.25),
        ("typing_off", 1, 3.5),
    ]
    assert calls[1].started_at == datetime.fromtimestamp(began + 0.1, UTC)
    assert (calls[1].fbtrace_id, calls[1].message_id) == ("trace", "m_1")


def test_an_error_and_a_due_time_stay_until_the_job_goes_on(engine: Engine, writer: LogWriter, teller: Teller) -> None:
    [job_id] = teller.enqueue()
    due = teller.now + 60
    teller.tell(job_id, State.RETRYING, error=GraphError("Temporary failure", 2, 33), due=due)
    copy_all(writer, teller)
    row = all_jobs(engine)[job_id]
    assert (row.state, row.error_code, row.error_subcode, row.error_message) == ("retrying", 2, 33, "Temporary failure")
    assert row.due_at == datetime.fromtimestamp(due, UTC)
    assert row.settled_at is None
    teller.tell(job_id, State.SENDING, attempt=2)
    copy_all(writer, teller)
    row = all_jobs(engine)[job_id]
    assert (row.state, row.attempts, row.error_code, row.due_at) == ("sending", 2, 2, None)
    teller.tell(job_id, State.SENT, attempt=2, message_id="m_1")
    copy_all(writer, teller)
    row = all_jobs(engine)[job_id]
    assert (row.state, row.error_code, row.error_message, row.message_id) == ("sent", None, None, "m_1")


def test_an_unknown_job_is_corrected_by_a_later_fact(engine: Engine, writer: LogWriter, teller: Teller) -> None:
    [job_id] = teller.enqueue()
    teller.tell(job_id, State.UNKNOWN, error=GraphError("no answer that says"))
    copy_all(writer, teller)
    assert all_jobs(engine)[job_id].state == "unknown"
    assert not teller.queue.redis.exists(teller.queue.keys.job(job_id))
    teller.tell(job_id, State.SENT, message_id="m_late")
    copy_all(writer, teller)
    row = all_jobs(engine)[job_id]
    assert (row.state, row.message_id, row.error_message) == ("sent", "m_late", None)
    assert row.payload["message"] == {"text": "text 0"}


def test_settled_jobs_and_copied_events_leave_redis_and_open_jobs_stay(
    queue: Queue, engine: Engine, writer: LogWriter, teller: Teller
) -> None:
    settled, waiting = teller.enqueue(2)
    teller.send(settled)
    assert teller.waiting == 6
    copy_all(writer, teller)
    assert teller.waiting == 0
    assert not queue.redis.exists(queue.keys.job(settled))
    assert queue.redis.exists(queue.keys.job(waiting))
    assert {job.state for job in queries.jobs(engine)} == {State.SENT, State.QUEUED}


def test_a_call_that_is_reported_twice_is_one_row(engine: Engine, writer: LogWriter, teller: Teller) -> None:
    [job_id] = teller.enqueue()
    call = teller.call("message", message_id="m_1")
    teller.tell(job_id, None, called=[call])
    teller.tell(job_id, None, called=[call])
    copy_all(writer, teller)
    teller.tell(job_id, None, called=[call], attempt=None)
    copy_all(writer, teller)
    assert [(row.step, row.attempt) for row in all_calls(engine)] == [("message", 1)]


def test_a_job_that_redis_has_forgotten_is_logged_with_what_is_known(
    engine: Engine, writer: LogWriter, teller: Teller
) -> None:
    teller.tell("LOST", None, attempt=None, called=[teller.call("message", message_id="m_1")])
    copy_all(writer, teller)
    row = all_jobs(engine)["LOST"]
    assert (row.state, row.page_id, row.payload) == ("unknown", None, None)
    assert [call.job_id for call in all_calls(engine)] == ["LOST"]
    assert queries.open_jobs(engine) == 0


def test_a_new_job_whose_content_is_gone_is_logged_all_the_same(
    queue: Queue, engine: Engine, writer: LogWriter, teller: Teller
) -> None:
    [job_id] = teller.enqueue()
    queue.redis.delete(queue.keys.job(job_id))
    copy_all(writer, teller)
    row = all_jobs(engine)[job_id]
    assert (row.state, row.payload, row.recipient) == ("queued", None, None)


def test_a_new_job_whose_content_cannot_be_read_is_logged_without_it_and_the_rest_with_it(
    queue: Queue, engine: Engine, writer: LogWriter, teller: Teller
) -> None:
    first, spoilt, last = teller.enqueue(3)
    queue.redis.set(queue.keys.job(spoilt), 'not a job\n{"text": "\x00"}')
    copy_all(writer, teller)
    rows = all_jobs(engine)
    assert {job_id: row.payload is None for job_id, row in rows.items()} == {first: False, spoilt: True, last: False}
    assert writer.set_aside == 0


def test_what_meta_says_is_stored_even_with_characters_no_database_takes(
    engine: Engine, writer: LogWriter, teller: Teller
) -> None:
    [job_id] = teller.enqueue()
    teller.tell(job_id, State.FAILED, error=GraphError("a\x00b\ud83dc", 100))
    copy_all(writer, teller)
    row = all_jobs(engine)[job_id]
    assert (row.state, row.error_message) == ("failed", "a\ufffdb?c")


def test_events_of_many_batches_all_arrive(
    engine: Engine, writer: LogWriter, teller: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_writer, "BATCH", 7)
    ids = teller.enqueue(40)
    for job_id in ids:
        teller.send(job_id)
    copy_all(writer, teller)
    assert {job.id: job.state for job in queries.jobs(engine)} == dict.fromkeys(ids, State.SENT)
    assert len(all_calls(engine)) == 120
    assert writer.copied == 200


def test_one_transaction_takes_no_more_than_a_batch(
    engine: Engine, writer: LogWriter, teller: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_writer, "BATCH", 25)
    writer.turn()  # takes the lease and makes the cursor
    teller.enqueue(60)
    commits: list[object] = []
    event.listen(engine, "commit", commits.append)
    assert [writer.turn() for _ in range(4)] == [25, 25, 10, 0]
    assert len(commits) == 3


def test_jobs_that_are_too_long_together_come_in_several_transactions(
    engine: Engine, writer: LogWriter, teller: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_copier, "_AT_ONCE", 3)
    monkeypatch.setattr(log_copier, "_MOST_TEXT", 700)
    writer.turn()
    ids = teller.enqueue(16)
    commits: list[object] = []
    event.listen(engine, "commit", commits.append)
    assert writer.turn() == 16
    assert len(commits) > 4
    rows = all_jobs(engine)
    assert [rows[job_id].payload["message"]["text"] for job_id in ids] == [f"text {number}" for number in range(16)]
    assert (writer.copied, teller.waiting) == (16, 0)


def test_the_lag_is_the_age_of_the_oldest_event_not_copied(writer: LogWriter, teller: Teller) -> None:
    assert writer.lag() == 0.0
    began = teller.queue.time()
    teller.append({"e": "queued", "j": "A", "t": "1"}, position=f"{int((began - 90) * 1000)}-0")
    teller.enqueue()
    lag = writer.lag()
    assert 90 <= lag <= 90.001 + teller.queue.time() - began  # a position has milliseconds
    copy_all(writer, teller)
    assert writer.lag() == 0.0


def test_an_event_ends_the_wait_of_a_running_writer(
    queue: Queue, redis_url: str, engine: Engine, teller: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_writer, "_BLOCK", 3600.0)  # nothing but an event ends it
    patient = redis.Redis.from_url(redis_url, decode_responses=True, socket_timeout=None)
    writer, stop = LogWriter(Queue(patient, queue.settings), engine), threading.Event()
    thread = threading.Thread(target=writer.run, args=(stop,), daemon=True)
    thread.start()
    for _ in range(5):
        wait_until(lambda: _blocked(queue), "the writer waits")
        [job_id] = teller.enqueue()
        wait_until(lambda job_id=job_id: queries.job(engine, job_id), "the row")  # type: ignore[misc]  # bound
    wait_until(lambda: _blocked(queue), "the writer waits")
    stop.set()
    teller.enqueue()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    patient.close()


def _blocked(queue: Queue) -> bool:
    return int(queue.redis.info("clients")["blocked_clients"]) == 1


def test_a_running_writer_stops_when_told_and_leaves_its_lease(
    engine: Engine, writer: LogWriter, teller: Teller
) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=writer.run, args=(stop,))
    thread.start()
    [job_id] = teller.enqueue()
    wait_until(lambda: queries.job(engine, job_id), "the row")
    stop.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert not teller.queue.redis.exists(teller.queue.keys.log_lease)


def test_two_queues_share_one_log_under_two_names(queue: Queue, engine: Engine) -> None:
    other = Queue(queue.redis, Settings(redis_tag="other"))
    queue.redis.set(other.keys.epoch, "open")
    ids = []
    for one, name in ((queue, "main"), (other, "other")):
        teller, writer = Teller(one), LogWriter(one, engine, name)
        ids += teller.enqueue(3)
        copy_all(writer, teller)
        writer.release()
    assert set(all_jobs(engine)) == set(ids)


def test_an_action_is_logged_with_its_one_call(queue: Queue, engine: Engine, writer: LogWriter, teller: Teller) -> None:
    queue.redis.script_load(script("claim").text)
    [job_id] = queue.enqueue([Action(page="P", recipient="7", action="react", message_id="m_1", reaction="❤")])
    [catch] = queue.trip([Claim(1, "fence")])
    react = CallRecord("react", time.time(), 1.5, "Accepted", 200)
    queue.trip([Done(catch.claimed[0], "settle", [react], state=State.SENT, recipient_id="7")])
    copy_all(writer, teller)
    logged = queries.job(engine, job_id)
    assert logged is not None
    assert logged.payload is not None
    assert logged.payload["sender_action"] == "react"
    assert logged.payload["payload"] == {"message_id": "m_1", "reaction": "❤"}
    assert (logged.state, logged.message_id, logged.recipient_id, logged.lane) == (State.SENT, None, "7", "replies")
    assert [call.step for call in queries.calls_of(engine, job_id)] == ["react"]
