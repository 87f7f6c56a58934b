"""Receipts and signs of life in the log: none lost, whatever comes first."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import permutations

import pytest
from sqlalchemy import Engine, select

from envoi.events import CallRecord, GraphError
from envoi.job import Job
from envoi.log import queries
from envoi.log.standings import holds_of
from envoi.log.tables import conversations
from envoi.notices import Inbound, Logged, Receipt
from envoi.queue.begin import Begin
from envoi.queue.claim import Claim, Claimed
from envoi.queue.done import Done
from envoi.queue.queue import Queue
from envoi.standing import Hold
from envoi.states import State
from scheduler.log_writer import LogWriter
from scheduler.receipts import ReceiptWriter
from tests.integration.scheduler.hands import PAGE
from tests.waiting import wait_until, wait_until_equal

PERSON = "1"


@pytest.fixture
def engine(migrated_log: Engine) -> Engine:
    """A migrated log, once in SQLite and once in PostgreSQL."""
    return migrated_log


@pytest.fixture
def log(queue: Queue, engine: Engine) -> LogWriter:
    return LogWriter(queue, engine)


@pytest.fixture
def receipts(queue: Queue, engine: Engine) -> ReceiptWriter:
    return ReceiptWriter(queue, engine, again=0.0)


def exact_now() -> float:
    """The time in eighths of a second, which a datetime holds exactly."""
    return int(time.time() * 8) / 8


def start(queue: Queue, person: str = PERSON) -> Claimed:
    """A job whose message call has begun."""
    queue.enqueue([Job(page=PAGE, recipient=person, message="hello")])
    [held] = queue.trip([Claim(1, f"w{time.monotonic_ns()}")])[0].claimed
    queue.trip([Begin(held, None, [])])
    assert isinstance(held, Claimed)
    return held


def answer(queue: Queue, held: Claimed, message_id: str, began: float | None = None) -> None:
    """Its message call is accepted."""
    call = CallRecord("message", began or time.time() - 0.05, 50.0, "Accepted", 200, message_id=message_id)
    queue.trip([Done(held, "settle", [call], state=State.SENT, message_id=message_id, recipient_id=PERSON)])


def sent(queue: Queue, message_id: str, person: str = PERSON) -> str:
    held = start(queue, person)
    answer(queue, held, message_id)
    return held.job_id


def copy(log: LogWriter) -> None:
    """Let the log writer copy all there is."""
    wait_until(lambda: log.turn() == 0 and log.lag() == 0, "the log has it all")


def delivered(at: float, *message_ids: str, watermark: float | None = None) -> Receipt:
    return Receipt("delivered", PAGE, PERSON, at, message_ids, watermark)


def read(at: float, *message_ids: str, watermark: float | None = None) -> Receipt:
    return Receipt("read", PAGE, PERSON, at, message_ids, watermark)


def times(engine: Engine, job_id: str) -> tuple[float | None, float | None]:
    """When a job's message was delivered and read, as the log has it."""
    row = queries.job(engine, job_id)
    assert row is not None
    return _seconds(row.delivered_at), _seconds(row.read_at)


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def left(queue: Queue) -> tuple[int, int]:
    """How many wait, fresh and put off."""
    return int(queue.redis.xlen(queue.keys.receipts)), int(queue.redis.zcard(queue.keys.late))


def test_receipts_by_message_and_by_time_fill_the_log(
    queue: Queue, engine: Engine, log: LogWriter, receipts: ReceiptWriter
) -> None:
    first, second = sent(queue, "m_1"), sent(queue, "m_2")
    now = exact_now()
    copy(log)
    queue.take_notices([delivered(now + 1, "m_1")])
    receipts.turn()
    assert [times(engine, first), times(engine, second)] == [(now + 1, None), (None, None)]
    queue.take_notices([read(now + 2, watermark=now + 2)])
    receipts.turn()
    assert [times(engine, first), times(engine, second)] == [(now + 1, now + 2), (now + 2, now + 2)]
    assert left(queue) == (0, 0)


def test_a_watermark_is_of_what_was_handed_over_before_it_and_of_nothing_later(
    queue: Queue, engine: Engine, log: LogWriter, receipts: ReceiptWriter
) -> None:
    began = exact_now()
    held = start(queue)
    answer(queue, held, "m_1", began)
    later = start(queue)
    answer(queue, later, "m_2", began + 0.5)
    copy(log)
    # Meta's time of the first message, cut off to a millisecond: after its call began, before its answer was here.
    queue.take_notices([read(began + 9, watermark=began - 0.0005)])
    receipts.turn()
    assert times(engine, held.job_id) == (began + 9, began + 9)
    assert times(engine, later.job_id) == (None, None)


def test_receipts_in_any_order_and_twice_come_to_the_same(
    queue: Queue, engine: Engine, log: LogWriter, receipts: ReceiptWriter
) -> None:
    now = exact_now()
    told = [delivered(now + 1, "m_1", watermark=now + 1), delivered(now + 3, watermark=now + 3), read(now + 2, "m_1")]
    results = set()
    for order in permutations(told):
        person_jobs = sent(queue, "m_1")
        copy(log)
        for notice in (*order, order[0]):
            queue.take_notices([notice])
            receipts.turn()
        results.add(times(engine, person_jobs))
        _forget(engine)
    assert results == {(now + 1, now + 2)}


def test_receipts_change_no_other_persons_jobs_and_none_that_was_not_sent(
    queue: Queue, engine: Engine, log: LogWriter, receipts: ReceiptWriter
) -> None:
    other = sent(queue, "m_2", person="2")
    held = start(queue)
    queue.trip([Done(held, "settle", [], state=State.FAILED, error=GraphError("no"))])
    copy(log)
    now = exact_now()
    queue.take_notices([delivered(now, "m_2", watermark=now + 5)])
    receipts.turn()
    assert times(engine, other) == (None, None)
    assert times(engine, held.job_id) == (None, None)


def test_a_receipt_that_beats_the_log_writer_waits_for_it(
    queue: Queue, engine: Engine, log: LogWriter, receipts: ReceiptWriter
) -> None:
    job_id = sent(queue, "m_1")
    now = exact_now()
    queue.take_notices([delivered(now, "m_1")])
    assert receipts.turn() == 0
    assert left(queue) == (1, 0)
    copy(log)
    assert receipts.turn() == 1
    assert times(engine, job_id) == (now, None)


def test_a_receipt_that_beats_the_answer_of_its_call_is_not_lost(
    queue: Queue, engine: Engine, log: LogWriter, receipts: ReceiptWriter
) -> None:
    held = start(queue)
    now = exact_now()
    queue.take_notices([delivered(now, "m_1"), read(now + 1, watermark=now + 1)])
    copy(log)
    assert receipts.turn() == 2
    assert left(queue) == (0, 2)
    answer(queue, held, "m_1")
    copy(log)
    wait_until_equal(receipts.turn, 2)
    assert left(queue) == (0, 0)
    assert times(engine, held.job_id) == (now, now + 1)


def test_a_receipt_of_no_job_of_ours_is_dropped_once_no_job_can_be_meant(
    queue: Queue, engine: Engine, log: LogWriter
) -> None:
    queue.take_notices([delivered(1.7e9, "m_human")])
    receipts = ReceiptWriter(queue, engine, again=0.0)
    assert receipts.turn() == 1
    assert left(queue) == (0, 0)
    start(queue)  # whose person gets a message from a human too
    copy(log)
    queue.take_notices([delivered(1.7e9, "m_human")])
    assert receipts.turn() == 1
    assert left(queue) == (0, 1)
    settings = queue.settings
    longest = settings.media_timeout + settings.settle_wait + settings.settle_longest + settings.lease
    much_later = ReceiptWriter(queue, engine, clock=lambda: time.time() + longest + 1)
    receipts._stream.release()
    assert much_later.turn() == 1
    assert left(queue) == (0, 0)


def test_a_receipt_waits_as_long_as_its_job_may_wait_for_its_looks_and_is_looked_at_less_and_less(
    queue: Queue, engine: Engine, log: LogWriter
) -> None:
    ahead = [0.0]
    receipts = ReceiptWriter(queue, engine, clock=lambda: time.time() + ahead[0])
    held = start(queue)
    queue.trip([Done(held, "unsure", [], error=GraphError("no answer"), seconds=6000)])
    copy(log)
    now = exact_now()
    queue.take_notices([delivered(now, "m_1")])
    looked_at = []
    settings = queue.settings
    while ahead[0] < settings.media_timeout + settings.settle_wait + settings.settle_longest:
        if receipts.turn():
            looked_at.append(ahead[0])
        assert left(queue) == (0, 1), f"after {ahead[0]} s"
        ahead[0] += 5.0
    assert looked_at[:3] == [0.0, 5.0, 10.0]
    assert len(looked_at) < 40
    queue.prove_sent(held.job_id, "m_1", PERSON)  # its last look finds it
    copy(log)
    ahead[0] += 1000.0
    assert receipts.turn() == 1
    assert left(queue) == (0, 0)
    assert times(engine, held.job_id) == (now, None)


def test_the_latest_sign_of_life_of_each_person_is_in_the_log(
    queue: Queue, engine: Engine, receipts: ReceiptWriter
) -> None:
    told = {"7": (1.7e9, 1.7e9 + 5, 1.7e9 + 2), "8": (1.7e9,)}
    for person, ats in told.items():
        for at in ats:
            queue.take_notices([Inbound(PAGE, person, at)])
            receipts.turn()
    queue.take_notices([Inbound(PAGE, "7", 1.7e9 + 1), Inbound(PAGE, "9", 1.7e9)])
    receipts.turn()
    with engine.connect() as connection:
        rows = {row.recipient: row for row in connection.execute(select(conversations))}
    assert {person: row.last_inbound_at for person, row in rows.items()} == {
        person: datetime.fromtimestamp(at, UTC) for person, at in {"7": 1.7e9 + 5, "8": 1.7e9, "9": 1.7e9}.items()
    }
    assert {row.page_id for row in rows.values()} == {PAGE}


def test_what_cannot_be_read_or_stored_is_counted_and_stops_no_other(
    queue: Queue, engine: Engine, log: LogWriter, receipts: ReceiptWriter
) -> None:
    job_id = sent(queue, "m_1")
    copy(log)
    for text in ("nonsense", '["receipt",{}]', '["odd",{"page":"1","why":"x"}]'):
        queue.redis.xadd(queue.keys.receipts, {"n": text})
    queue.redis.xadd(queue.keys.receipts, {"n": '["inbound",{"page":"1","person":"2","at":"never"}]'})
    now = exact_now()
    queue.take_notices([delivered(now, "m_1"), Inbound(PAGE, "7", now)])
    assert receipts.turn() == 6
    assert receipts.odd == 4
    assert times(engine, job_id) == (now, None)
    assert left(queue) == (0, 0)


def test_one_writer_at_a_time_and_the_next_after_its_stop(queue: Queue, engine: Engine) -> None:
    first, second = ReceiptWriter(queue, engine), ReceiptWriter(queue, engine)
    stop = threading.Event()
    thread = threading.Thread(target=first.run, args=(stop,))
    queue.take_notices([Inbound(PAGE, "7", 1.7e9)])
    assert first.turn() == 1
    thread.start()
    try:
        queue.take_notices([Inbound(PAGE, "8", 1.7e9)])
        wait_until_equal(lambda: left(queue), (0, 0))
    finally:
        stop.set()
        thread.join(10)
    queue.take_notices([Inbound(PAGE, "9", 1.7e9)])
    assert second.turn() == 1


def _forget(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM calls")
        connection.exec_driver_sql("DELETE FROM jobs")


def say(queue: Queue, said: Hold) -> None:
    """As the script does that holds and releases."""
    queue.redis.xadd(queue.keys.receipts, {"n": json.dumps(["hold", asdict(said)])})


def test_a_writer_that_wakes_with_an_old_word_in_hand_does_not_write_it(
    queue: Queue, engine: Engine, receipts: ReceiptWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = f"{PAGE}/id/{PERSON}"
    other = ReceiptWriter(queue, engine)
    write = receipts._sink.write

    def frozen(notices: Sequence[Logged]) -> None:
        queue.redis.delete(f"{queue.keys.receipts}:lease")  # it runs out
        say(queue, Hold(conversation))
        assert other.turn() == 2
        write(notices)

    with monkeypatch.context() as patch:
        patch.setattr(receipts._sink, "write", frozen)
        say(queue, Hold(conversation, since=1.7e9))
        assert receipts.turn() == 0
    assert list(holds_of(engine)) == []
    other.release()
    say(queue, Hold(conversation, since=1.7e9))
    assert receipts.turn() == 1
    assert list(holds_of(engine)) == [Hold(conversation, since=1.7e9)]


def test_a_writer_that_wakes_before_it_takes_over_only_delays_the_other(
    queue: Queue, engine: Engine, receipts: ReceiptWriter
) -> None:
    conversation = f"{PAGE}/id/{PERSON}"
    other = ReceiptWriter(queue, engine)
    say(queue, Hold(conversation, since=1.7e9))
    assert other.turn() == 1
    assert list(holds_of(engine)) == [Hold(conversation, since=1.7e9)]
    receipts._sink.take_over()  # what it had begun when it froze
    say(queue, Hold(conversation))
    assert other.turn() == 0
    assert other.turn() == 1
    assert list(holds_of(engine)) == []
