"""Holds and opt-outs in the log: what is in force, so that a wiped Redis can have it back."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, select

from envoi.log import tables
from envoi.log.standings import holds_of, opt_outs_of
from envoi.queue.keys import conversation_of
from envoi.queue.queue import Queue
from scheduler.receipts import ReceiptWriter

FIRST, ODD = conversation_of("100", "id", "1"), conversation_of("100", "user_ref", "a/b ü%")


@pytest.fixture
def receipts(queue: Queue, engine: Engine) -> ReceiptWriter:
    return ReceiptWriter(queue, engine)


def _written(receipts: ReceiptWriter) -> None:
    while receipts.turn():
        pass


def test_what_is_in_force_is_in_the_log(queue: Queue, engine: Engine, receipts: ReceiptWriter) -> None:
    until = round(queue.time() + 3600.0, 6)
    queue.hold(FIRST)
    queue.hold(ODD, until)
    queue.opt_out(ODD)
    _written(receipts)
    held = {one.conversation: one for one in holds_of(engine)}
    assert held.keys() == {FIRST, ODD}
    for one in queue.holds("100"):
        assert held[one.conversation].since == pytest.approx(one.since, abs=1e-5)
        assert held[one.conversation].until == (one.until and pytest.approx(until, abs=1e-5))
    [(_, since)] = queue.opt_outs("100")
    [opted_out] = opt_outs_of(engine)
    assert opted_out.conversation == ODD
    assert opted_out.since == pytest.approx(since, abs=1e-5)
    with engine.connect() as connection:
        [row] = connection.execute(select(tables.opt_outs)).all()
    assert (row.page_id, row.recipient_kind, row.recipient) == ("100", "user_ref", "a/b ü%")


def test_what_is_not_in_force_any_more_leaves_no_row(queue: Queue, engine: Engine, receipts: ReceiptWriter) -> None:
    queue.hold(FIRST)
    queue.opt_out(FIRST)
    _written(receipts)
    queue.release(FIRST)
    queue.opt_in(FIRST)
    queue.hold(ODD)
    queue.release(ODD)
    _written(receipts)
    assert (list(holds_of(engine)), list(opt_outs_of(engine))) == ([], [])


def test_the_end_of_a_hold_that_was_moved_is_the_one_that_counts(
    queue: Queue, engine: Engine, receipts: ReceiptWriter
) -> None:
    queue.hold(FIRST, queue.time() + 10)
    _written(receipts)
    queue.hold(FIRST)
    _written(receipts)
    assert [hold.until for hold in holds_of(engine)] == [None]


def test_written_twice_it_comes_to_the_same(queue: Queue, engine: Engine, receipts: ReceiptWriter) -> None:
    queue.hold(FIRST)
    queue.opt_out(FIRST)
    queue.release(FIRST)
    stream: Any = queue.redis  # redis-py types every answer as text or bytes
    entries = stream.xrange(queue.keys.receipts)
    _written(receipts)
    for _, fields in entries:  # their deletion was lost
        stream.xadd(queue.keys.receipts, fields)
    _written(receipts)
    assert list(holds_of(engine)) == []
    assert [one.conversation for one in opt_outs_of(engine)] == [FIRST]
    assert receipts.odd == 0
