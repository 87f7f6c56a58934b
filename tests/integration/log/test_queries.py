"""What the log answers."""

from __future__ import annotations

from datetime import UTC

import pytest
from sqlalchemy import Engine, event

from envoi.events import GraphError
from envoi.log import queries
from envoi.states import State
from scheduler.log_writer import LogWriter
from tests.integration.log.teller import Teller, copy_all


@pytest.fixture
def ids(writer: LogWriter, teller: Teller) -> list[str]:
    """Five jobs: three are sent, one has failed, one waits."""
    found = teller.enqueue(5)
    for job_id in found[:3]:
        teller.send(job_id)
    teller.tell(found[3], State.FAILED, error=GraphError("refused", 100, 2018001))
    copy_all(writer, teller)
    return found


def test_the_newest_jobs_come_first(engine: Engine, ids: list[str]) -> None:
    assert [job.id for job in queries.jobs(engine, limit=2)] == sorted(ids, reverse=True)[:2]
    assert [job.id for job in queries.jobs(engine)] == sorted(ids, reverse=True)


def test_jobs_of_one_state_can_be_asked_for(engine: Engine, ids: list[str]) -> None:
    assert {job.id for job in queries.jobs(engine, state=State.SENT)} == set(ids[:3])
    [failed] = queries.jobs(engine, state=State.FAILED)
    assert (failed.id, failed.error_code, failed.error_subcode) == (ids[3], 100, 2018001)


def test_a_job_is_found_by_its_id_with_aware_times(engine: Engine, ids: list[str]) -> None:
    job = queries.job(engine, ids[0])
    assert job is not None
    assert job.sent_at is not None
    assert {job.enqueued_at.tzinfo, job.sent_at.tzinfo} == {UTC}
    assert queries.job(engine, "never") is None


def test_the_calls_of_a_job_come_in_their_order(engine: Engine, ids: list[str]) -> None:
    assert [call.step for call in queries.calls_of(engine, ids[1])] == ["typing_on", "message", "typing_off"]
    assert queries.calls_of(engine, ids[4]) == []


def test_jobs_are_counted_by_state(engine: Engine, ids: list[str]) -> None:
    assert queries.count_by_state(engine) == {State.SENT: 3, State.FAILED: 1, State.QUEUED: 1}
    assert sum(queries.count_by_state(engine).values()) == len(ids)


@pytest.mark.parametrize("state", State)
def test_a_job_is_open_until_it_has_an_outcome(engine: Engine, writer: LogWriter, teller: Teller, state: State) -> None:
    assert queries.open_jobs(engine) == 0
    teller.tell("A", state)
    copy_all(writer, teller)
    assert queries.open_jobs(engine) == (0 if state.final else 1)


def test_open_jobs_are_counted_no_further_than_asked(engine: Engine, writer: LogWriter, teller: Teller) -> None:
    teller.enqueue(30)
    copy_all(writer, teller)
    statements: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(*given: object) -> None:
        statements.append(str(given[2]))

    assert [queries.open_jobs(engine), queries.open_jobs(engine, at_most=10)] == [30, 10]
    asked = [statement for statement in statements if "jobs" in statement]
    assert len(asked) == 2
    assert all("LIMIT" in statement for statement in asked)
