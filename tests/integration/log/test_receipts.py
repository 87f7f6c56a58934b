"""Receipts of webhooks in the log: delivered, read, and when a person was last heard of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, select

from envoi.log import queries, tables
from envoi.log.queries import LoggedJob
from envoi.notices import Inbound, Receipt
from envoi.queue.queue import Queue
from envoi.states import State
from scheduler.log_writer import LogWriter
from scheduler.receipts import ReceiptWriter
from tests.integration.log.teller import Teller


@pytest.fixture
def receipts(queue: Queue, engine: Engine) -> ReceiptWriter:
    return ReceiptWriter(queue, engine, again=0.0)


@pytest.fixture
def job(engine: Engine) -> Callable[[str], LoggedJob]:
    def read(job_id: str) -> LoggedJob:
        found = queries.job(engine, job_id)
        assert found
        return found

    return read


def copied(writer: LogWriter) -> None:
    while writer.turn():
        pass


def written(receipts: ReceiptWriter) -> None:
    """Twice: a receipt that may be too early is looked at again."""
    for _ in range(3):
        receipts.turn()


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_a_receipt_that_names_a_message_is_on_its_row(
    teller: Teller, writer: LogWriter, receipts: ReceiptWriter, job: Callable[[str], LoggedJob]
) -> None:
    first, second = teller.enqueue(2)
    for job_id in (first, second):
        teller.send(job_id)
    copied(writer)
    at = round(teller.now) + 5.0
    teller.queue.take_notices([Receipt("delivered", "P", "0", at, (f"m_{first}",), None)])
    teller.queue.take_notices([Receipt("read", "P", "0", at + 1, (f"m_{first}",), None)])
    written(receipts)
    assert (job(first).delivered_at, job(first).read_at) == (moment(at), moment(at + 1))
    assert (job(second).delivered_at, job(second).read_at) == (None, None)


def test_a_watermark_holds_for_all_that_was_sent_to_this_person_before(
    teller: Teller, writer: LogWriter, receipts: ReceiptWriter, job: Callable[[str], LoggedJob]
) -> None:
    ids = teller.enqueue(11)  # the eleventh goes to the first one's person again
    for job_id in ids[:2]:
        teller.send(job_id)
    watermark = teller.now + 1.0
    teller.now += 100.0
    teller.send(ids[10])
    copied(writer)
    teller.queue.take_notices([Receipt("read", "P", "0", watermark, (), watermark)])
    written(receipts)
    assert job(ids[0]).read_at == moment(watermark)
    assert job(ids[1]).read_at is None, "somebody else's"
    assert job(ids[10]).read_at is None, "sent later"


def test_a_receipt_before_the_row_waits_for_it(
    teller: Teller, writer: LogWriter, receipts: ReceiptWriter, job: Callable[[str], LoggedJob]
) -> None:
    (job_id,) = teller.enqueue()
    teller.send(job_id)
    at = round(teller.now) + 5.0
    teller.queue.take_notices([Receipt("delivered", "P", "0", at, (f"m_{job_id}",), None)])
    receipts.turn()
    copied(writer)
    written(receipts)
    assert job(job_id).delivered_at == moment(at)


def test_the_first_receipt_stays(
    teller: Teller, writer: LogWriter, receipts: ReceiptWriter, job: Callable[[str], LoggedJob]
) -> None:
    (job_id,) = teller.enqueue()
    teller.send(job_id)
    copied(writer)
    at = round(teller.now) + 5.0
    for later in (0.0, 7.0):
        teller.queue.take_notices([Receipt("delivered", "P", "0", at + later, (f"m_{job_id}",), None)])
        written(receipts)
    assert job(job_id).delivered_at == moment(at)


def test_when_a_person_was_last_heard_of_never_goes_back(
    teller: Teller, receipts: ReceiptWriter, engine: Engine, writer: LogWriter
) -> None:
    (job_id,) = teller.enqueue()
    teller.tell(job_id, State.SENDING)
    copied(writer)
    for at in (1_795_000_100.0, 1_795_000_000.0):
        teller.queue.take_notices([Inbound("P", "0", at)])
        written(receipts)
    with engine.connect() as connection:
        rows = connection.execute(select(tables.conversations.c.last_inbound_at)).scalars().all()
    assert rows == [moment(1_795_000_100.0)]
