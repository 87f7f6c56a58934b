"""Retention: what is over its time leaves the log, and nothing else does."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, delete, func, select

from envoi.log import queries, schema
from envoi.log.database import open_log
from envoi.log.tables import calls, jobs
from envoi.queue.queue import Queue
from envoi.settings import Settings
from envoi.states import State
from scheduler import prune
from scheduler.log_writer import LogWriter
from scheduler.prune import Pruner
from tests.integration.log.teller import Teller

DAY = 86400.0
RULES = Settings(keep_texts=10 * DAY, keep_calls=20 * DAY, keep_jobs=30 * DAY)


@pytest.fixture
def after(queue: Queue, engine: Engine) -> Callable[[float], Pruner]:
    """A pruner that lives so many days later."""
    ruled = Queue(queue.redis, RULES)
    return lambda days: Pruner(ruled, engine, clock=lambda: time.time() + days * DAY)


def turned(pruner: Pruner) -> bool:
    """One step, after which another pruner may go on."""
    more = pruner.turn()
    pruner.release()
    return more


def sent(teller: Teller, writer: LogWriter, count: int = 1) -> list[str]:
    ids = teller.enqueue(count)
    for job_id in ids:
        teller.send(job_id)
    while writer.turn():
        pass
    return ids


def number_of_calls(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(calls)).scalar_one()


def texts_left(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(select(func.count(jobs.c.id)).where(jobs.c.payload.is_not(None))).scalar_one()


def test_first_the_text_goes_then_the_calls_then_the_job(
    teller: Teller, writer: LogWriter, engine: Engine, after: Callable[[float], Pruner]
) -> None:
    (job_id,) = sent(teller, writer)
    assert not turned(after(9.9))
    assert texts_left(engine) == 1

    turned(after(10.1))
    found = queries.job(engine, job_id)
    assert found is not None
    assert found.payload is None
    assert found.message_id == f"m_{job_id}"
    assert number_of_calls(engine) == 3

    turned(after(20.1))
    assert number_of_calls(engine) == 0
    assert queries.job(engine, job_id) is not None

    turned(after(30.1))
    assert queries.job(engine, job_id) is None


def test_a_job_takes_the_calls_that_are_left_with_it(teller: Teller, writer: LogWriter, engine: Engine) -> None:
    sent(teller, writer)
    keeps_calls = Queue(teller.queue.redis, RULES.model_copy(update={"keep_calls": 300 * DAY}))
    Pruner(keeps_calls, engine, clock=lambda: time.time() + 31 * DAY).turn()
    assert number_of_calls(engine) == 0


def test_a_job_that_is_being_told_of_is_left_for_the_next_time_with_its_calls(
    queue: Queue, teller: Teller, postgres_url: str
) -> None:
    engine = open_log(postgres_url)
    schema.upgrade(engine)
    writer = LogWriter(queue, engine)
    told, _ = sent(teller, writer, 2)
    rules = RULES.model_copy(update={"keep_texts": 300 * DAY, "keep_calls": 300 * DAY})
    pruner = Pruner(Queue(queue.redis, rules), engine, clock=lambda: time.time() + 31 * DAY)
    with engine.begin() as holder:
        holder.execute(select(jobs).where(jobs.c.id == told).with_for_update())
        pruner.turn()
        assert [job.id for job in queries.jobs(engine)] == [told]
        assert number_of_calls(engine) == 3
    pruner.turn()
    assert queries.jobs(engine) == []
    assert number_of_calls(engine) == 0
    writer.release()
    engine.dispose()


def test_calls_whose_job_has_gone_go_at_the_end_of_their_own_time(
    teller: Teller, writer: LogWriter, engine: Engine, after: Callable[[float], Pruner]
) -> None:
    sent(teller, writer)
    with engine.begin() as connection:
        connection.execute(delete(jobs))  # as the version before prunes it, without its calls
    turned(after(19.9))
    assert number_of_calls(engine) == 3
    turned(after(20.1))
    assert number_of_calls(engine) == 0


def test_what_has_no_outcome_stays_however_old_it_is(
    teller: Teller, writer: LogWriter, engine: Engine, after: Callable[[float], Pruner]
) -> None:
    (job_id,) = teller.enqueue()
    teller.tell(job_id, State.SETTLING)
    writer.turn()
    after(300).turn()
    found = queries.job(engine, job_id)
    assert found is not None
    assert found.payload is not None


def test_each_step_is_small_and_says_whether_there_is_more(
    teller: Teller,
    writer: LogWriter,
    engine: Engine,
    after: Callable[[float], Pruner],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(prune, "BATCH", 4)
    sent(teller, writer, 10)
    pruner = after(11)
    seen = []
    while pruner.turn():
        seen.append(texts_left(engine))
    assert seen == [6, 2]
    assert texts_left(engine) == 0


def test_one_process_at_a_time_prunes(
    teller: Teller, writer: LogWriter, engine: Engine, after: Callable[[float], Pruner]
) -> None:
    first, second = after(0), after(11)
    first.turn()
    sent(teller, writer)
    second.turn()
    assert texts_left(engine) == 1
