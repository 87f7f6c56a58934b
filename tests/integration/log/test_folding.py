"""Where one batch ends and the next begins makes no difference to the rows."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete

from envoi.events import CallRecord, Event, GraphError, dump_calls
from envoi.log import tables
from envoi.states import State
from scheduler.log_digest import Digest
from scheduler.log_rows import call_rows
from scheduler.log_sink import Cursor, LogSink
from tests.integration.log.teller import all_calls, all_jobs

START = 1_800_000_000.0
JOB = '1 r - 1800000600.5 - P/id/7\n{"id":"x","message":{"text":"hello"},"key":"k"}'

rarely = st.integers(0, 3).map(lambda number: number == 0)


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Any events of a few jobs in any order: more than the scripts would ever tell."""
    events = []
    for number in range(draw(st.integers(1, 14))):
        at = START + number * 0.25
        state = draw(st.none() | st.sampled_from(State))
        calls = [
            CallRecord(
                draw(st.sampled_from(["typing_on", "message"])), START + draw(st.integers(0, 5)), 1.5, "Accepted"
            )
            for _ in range(draw(st.integers(0, 2)))
        ]
        events.append(
            Event(
                position=f"{number + 1}-0",
                job_id=draw(st.sampled_from(["A", "B", "C"])),
                at=at,
                state=state,
                attempt=draw(st.none() | st.integers(0, 3)),
                message_id=f"m{number}" if draw(rarely) else None,
                recipient_id=f"r{number}" if draw(rarely) else None,
                error=GraphError(f"error {number}", number, None) if draw(rarely) else None,
                due_at=at + 60 if draw(rarely) else None,
                called=dump_calls(calls),
            )
        )
    return events


def logged(engine: Engine, events: list[Event], ends: list[int]) -> tuple[list[Any], list[Any]]:
    """The rows of jobs and calls after the events in batches that end at these numbers."""
    with engine.begin() as connection:
        for table in (tables.calls, tables.jobs, tables.cursor):
            connection.execute(delete(table))
    sink = LogSink(engine, "main")
    cursor = sink.restart(None, "run")
    assert cursor is not None
    for begin, end in pairwise([0, *ends, len(events)]):
        part = events[begin:end]
        digest = Digest()
        for event in part:
            digest.calls += call_rows(event)
            digest.add(event)
        moved = Cursor("run", f"{end}-1")
        assert sink.write(cursor, moved, digest.batch(dict.fromkeys(digest.new, JOB)))
        cursor = moved
    jobs = [tuple(row) for _, row in sorted(all_jobs(engine).items())]
    return jobs, [tuple(row)[1:] for row in all_calls(engine)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=histories(), data=st.data())
def test_events_one_by_one_and_in_any_batches_give_the_same_rows(
    engine: Engine, events: list[Event], data: st.DataObject
) -> None:
    ends = sorted(data.draw(st.lists(st.integers(0, len(events)), max_size=4)))
    assert logged(engine, events, ends) == logged(engine, events, list(range(1, len(events))))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=histories(), data=st.data())
def test_a_sent_job_stays_sent_whatever_is_told_again(engine: Engine, events: list[Event], data: st.DataObject) -> None:
    again = data.draw(st.integers(0, len(events)))
    once = logged(engine, events, [])[0]
    twice = logged(engine, events + events[:again], [len(events)])[0]
    names = list(tables.jobs.c.keys())
    for before, after in zip(once, twice, strict=True):
        known = dict(zip(names, before, strict=True))
        if known["state"] == "sent":
            told = dict(zip(names, after, strict=True))
            filled = {name for name, value in known.items() if value is None and told[name] is not None}
            assert filled <= {"message_id", "recipient_id"}
            assert {name: told[name] for name in names if name not in filled} == {
                name: known[name] for name in names if name not in filled
            }


def test_two_messages_accepted_for_one_job_keep_the_first_id_and_both_calls(engine: Engine) -> None:
    calls = [CallRecord("message", START + number, 1.0, "Accepted", message_id=f"m{number}") for number in range(2)]
    events = [
        Event("1-0", "A", START, State.SENT, 1, "m0", called=dump_calls(calls[:1])),
        Event("2-0", "A", START + 1, State.SENT, 2, "m1", called=dump_calls(calls[1:])),
    ]
    [job], called = logged(engine, events, [1])
    assert dict(zip(tables.jobs.c.keys(), job, strict=True))["message_id"] == "m0"
    assert len(called) == 2
