"""What events make of a row, before any database sees it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envoi.events import CallRecord, Event, GraphError, dump_calls
from envoi.job import Job
from envoi.states import State
from scheduler.log_changes import Change
from scheduler.log_digest import Digest
from scheduler.log_rows import CALL, ENQUEUED, TOLD, Row, as_enqueued, call_rows, micros, moment, storable


def digest(events: list[Event]) -> Digest:
    """What these events come to, but for their calls."""
    made = Digest()
    for event in events:
        made.add(event)
    return made


def changes(events: list[Event]) -> list[Change]:
    return list(digest(events).changes.values())


def told(row: Row) -> dict[str, Any]:
    """By the names of its columns."""
    return dict(zip(TOLD, row, strict=True))


def enqueued(row: Row) -> dict[str, Any]:
    """By the names of its columns."""
    return dict(zip(ENQUEUED, row, strict=True))


def test_events_are_folded_to_one_change_a_job() -> None:
    events = [
        Event("1-0", "B", 10.0, State.QUEUED),
        Event("2-0", "A", 11.0, State.QUEUED),
        Event("3-0", "B", 12.0, State.SENDING, 1),
        Event("4-0", "B", 13.0, State.RETRYING, 1, error=GraphError("later", 2), due_at=20.0),
    ]
    second, first = changes(events)
    assert (first.job_id, first.state, first.attempts) == ("A", State.QUEUED, 0)
    assert (second.job_id, second.state, second.attempts, second.first_at) == ("B", State.RETRYING, 1, 10.0)
    assert (second.due_at, second.error, second.settled_at) == (20.0, GraphError("later", 2), None)


def test_the_time_of_sending_is_when_the_message_id_was_first_told() -> None:
    events = [
        Event("1-0", "A", 10.0, None, 1, "m"),
        Event("2-0", "A", 12.0, State.SENT, 1, "m"),
    ]
    [change] = changes(events)
    assert (change.sent_at, change.settled_at) == (10.0, 12.0)


def test_only_the_event_of_enqueueing_asks_for_the_job() -> None:
    assert [change.new for change in changes([Event("1-0", "A", 1.0, State.QUEUED)])] == [True]
    assert [change.new for change in changes([Event("1-0", "A", 1.0, State.SCHEDULED)])] == [True]
    assert [change.new for change in changes([Event("1-0", "A", 1.0, State.QUEUED, 1)])] == [False]  # given back
    assert [change.new for change in changes([Event("1-0", "A", 1.0, State.SENT, 1)])] == [False]


def test_jobs_with_and_without_a_new_state_are_kept_apart() -> None:
    events = [Event("1-0", "A", 1.0, None, 1), Event("2-0", "B", 2.0, State.SENDING, 1)]
    batch = digest(events).batch({})
    assert [told(row)["id"] for row in batch.changed] == ["B"]
    assert [(told(row)["id"], told(row)["state"]) for row in batch.noted] == [("A", "unknown")]


def test_a_new_job_is_kept_apart_with_what_was_enqueued_if_that_could_be_read() -> None:
    events = [Event(f"{number}-0", job_id, 1.0, State.QUEUED) for number, job_id in enumerate("AB")]
    batch = digest(events).batch({"B": '1 r - 2.5 - P/id/7\n{"key":"k"}'})
    assert [told(row)["id"] for row in batch.changed] == ["A"]
    assert [row[: len(TOLD)] for row in batch.read] == [(("B", *batch.changed[0][1:]))]
    assert enqueued(batch.read[0][len(TOLD) :])["key"] == "k"


def test_calls_keep_the_order_of_their_events_and_their_attempt() -> None:
    calls = [CallRecord(step, 5.5, 1.0, "Accepted") for step in ("typing_on", "message", "typing_off")]
    events = [
        Event("1-0", "A", 1.0, None, 3, called=dump_calls(calls[:2])),
        Event("2-0", "A", 2.0, None, called=dump_calls(calls[2:])),
    ]
    rows = [dict(zip(CALL, row, strict=True)) for event in events for row in call_rows(event)]
    assert [(row["step"], row["attempt"]) for row in rows] == [("typing_on", 3), ("message", 3), ("typing_off", None)]
    assert rows[0]["started_at"] == 5_500_000


def test_the_rows_of_jobs_are_ordered_by_id() -> None:
    events = [Event(f"{number}-0", job_id, 1.0, State.SENT, 1) for number, job_id in enumerate("BCA")]
    assert [told(row)["id"] for row in digest(events).batch({}).changed] == ["A", "B", "C"]


def test_what_a_later_version_says_of_a_call_is_left_out() -> None:
    called = '[{"step":"message","started_at":1.5,"duration_ms":2.0,"verdict":"Accepted","colour":"red"}]'
    [row] = call_rows(Event("1-0", "A", 1.0, None, 1, called=called))
    assert row == ("A", 1, "message", 1_500_000, 2.0, None, "Accepted", None, None, None, None, None)


def test_entries_that_cannot_be_read_are_kept_apart() -> None:
    good = ["1-0", ["e", "sent", "j", "A", "t", "1.5", "a", "1"]]
    bad = [
        ["2-0", ["e", "sent", "j", "A"]],
        ["3-0", ["e", "dancing", "j", "A", "t", "1"]],
        ["4-0", ["e", "sent", "j", "A", "t", "1", "a", "x"]],
        ["5-0", ["e", "note", "j", "A", "t", "1", "c", "5"]],
        ["6-0", ["e", "note", "j", "A", "t", "1", "c", '["x"]']],
        ["7-0", ["e", "note", "j", "A", "t", "1", "c", '[{"step":"message"}]']],
        [
            "8-0",
            ["e", "note", "j", "A", "t", "1", "c", '[{"step":"x","started_at":"now","duration_ms":1,"verdict":"y"}]'],
        ],
    ]
    made = Digest([bad[0], good, *bad[1:]])
    assert made.unread == bad
    assert [(job_id, change.state) for job_id, change in made.changes.items()] == [("A", State.SENT)]
    assert (made.calls, made.settled, made.states) == ([], ["A"], {"sent": 1})


def test_a_job_is_read_as_enqueue_keeps_it() -> None:
    payload = Job(page="P.1", recipient="7", message="a\nb", key="order 1").payload("ID")
    row = enqueued(as_enqueued(f"1 b digest 1800000000.250000 5 P.1/user_ref/a%2Fb%20c\n{payload}"))
    assert row == {
        "key": "order 1",
        "page_id": "P.1",
        "recipient_kind": "user_ref",
        "recipient": "a/b c",
        "lane": "bulk",
        "payload": payload,
        "expires_at": 1_800_000_000_250_000,
        "replay_of": None,
    }


@pytest.mark.parametrize(
    "job",
    [
        "",
        "1 r - 1.0 - P/id/7",
        "1 r - 1.0 -\n{}",
        "1 r - soon - P/id/7\n{}",
        "1 x - 1.0 - P/id/7\n{}",
        "1 r - 1.0 - P\n{}",
        "1 r - 1.0 - P/id/7\n[]",
        "1 r - 1.0 - P/id/7\n{",
    ],
)
def test_what_enqueue_did_not_write_is_no_job(job: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # each fails in its own words
        as_enqueued(job)


@pytest.mark.parametrize("seconds", [1e300, float("nan"), float("inf"), -1e18])
def test_a_number_that_is_no_time_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # each fails in its own words
        moment(seconds)
    with pytest.raises(ValueError, match="not a time"):
        micros(seconds)


@given(st.floats(-6e10, 2.5e11))
def test_microseconds_are_rounded_as_datetimes_are(seconds: float) -> None:
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros(seconds) or 0) == moment(seconds)


@pytest.mark.parametrize(
    ("said", "stored"),
    [(None, None), ("plain", "plain"), ("Grüße 👋", "Grüße 👋"), ("a\x00b", "a\ufffdb"), ("\ud83d!", "?!"), ("", "")],
)
def test_text_is_stored_but_for_what_no_database_takes(said: str | None, stored: str | None) -> None:
    assert storable(said) == stored
