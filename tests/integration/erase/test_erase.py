"""After an erasure nothing that names the person is left in Redis, the log or the outbox; counts are."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, insert, select

from envoi import InvalidConversation, NotErased, State, outbox
from envoi.broadcast.insertion import insert_people
from envoi.broadcast.recipients import Door, Person
from envoi.broadcast.template import Template
from envoi.erase import Erased
from envoi.ids import new_job_id
from envoi.log import queries, tables
from envoi.log.tables import broadcast_recipients as people
from envoi.log.tables import broadcasts
from envoi.notices import Echo, Inbound, Receipt
from envoi.queue.done import Done
from envoi.queue.keys import conversation_of
from tests.integration.erase.premises import PAGE, Premises

PERSON, OTHER = "7770000000000001", "8880000000000002"
MARKER, OTHER_MARKER = "marker-for-your-eyes-only", "the-words-of-somebody-else"
NAME = conversation_of(PAGE, "id", PERSON)


def _lived(premises: Premises, person: str, marker: str, message_id: str) -> None:
    """All that can be kept of a person is kept."""
    queue = premises.queue
    premises.put(person, marker, key=f"key {marker}", on_outcome="stream:app", typing=False)
    premises.send(person, message_id)
    premises.put({"comment_id": "55_66"} if person == PERSON else {"comment_id": "77_88"}, marker)
    premises.send(person, f"{message_id}c")
    now = queue.time()
    queue.take_notices(
        [
            Inbound(PAGE, person, now),
            Echo(PAGE, person, f"{message_id}-foreign", now, None),
            Receipt("read", PAGE, person, now, (message_id,), None),
        ]
    )
    premises.put(person, marker, on_outcome="celery:app.told")
    premises.refuse(f"Graph says {marker}")
    premises.put(person, marker, lane="bulk")
    queue.cancel(premises.put(person, marker))
    premises.put(person, marker, lane="bulk", key=f"later {marker}")
    premises.put(person, f"{marker} scheduled", at=datetime.now(UTC) + timedelta(hours=1))
    queue.hold(conversation_of(PAGE, "id", person))
    queue.opt_out(conversation_of(PAGE, "id", person))
    with premises.app_engine.begin() as connection:
        outbox.send(connection, PAGE, person, marker)
        outbox.send(connection, PAGE, {"phone_number": "+1(212)555-2368"}, "unconcerned")


def _traces(kept: str, *words: str) -> list[str]:
    return [line for line in kept.splitlines() if any(word in line for word in words)]


def test_no_trace_of_the_person_is_left_and_nobody_else_is_touched(premises: Premises) -> None:
    _lived(premises, PERSON, MARKER, "m_mine")
    _lived(premises, OTHER, OTHER_MARKER, "m_theirs")
    mine = (PERSON, MARKER, "m_mine", "55_66")
    before = premises.kept()
    for word in mine:
        assert _traces(before, word), f"the test itself leaves nothing that holds {word}"

    found = premises.erase(PERSON)

    assert found == Erased(cancelled=3, jobs=7, broadcasts=0, outbox=1, outcomes=2)
    assert _traces(premises.kept(), *mine) == []
    for word in (OTHER, OTHER_MARKER, "m_theirs", "77_88"):
        assert _traces(premises.kept(), word)
    theirs = premises.queue.lined(conversation_of(PAGE, "id", OTHER))
    assert (theirs.waiting, theirs.scheduled) == (2, 1)
    assert theirs.hold
    assert theirs.opted_out


def test_counts_are_left(premises: Premises) -> None:
    _lived(premises, PERSON, MARKER, "m_mine")
    premises.erase(PERSON)
    assert queries.count_by_state(premises.engine) == {State.SENT: 2, State.FAILED: 1, State.CANCELLED: 4}
    with premises.engine.connect() as connection:
        rows = connection.execute(select(tables.jobs)).all()
        assert {(row.page_id, row.recipient, row.payload) for row in rows} == {(PAGE, None, None)}
        assert connection.execute(select(func.count()).select_from(tables.calls)).scalar_one() == 3
    assert [row.error_code for row in rows if row.state == "failed"] == [551]


def test_twice_it_erases_nothing_more(premises: Premises) -> None:
    _lived(premises, PERSON, MARKER, "m_mine")
    premises.erase(PERSON)
    assert premises.erase(PERSON) == Erased(0, 0, 0, 0, 0)


def test_nobody_of_whom_nothing_is_known_can_be_erased_too(premises: Premises) -> None:
    assert premises.erase(PERSON) == Erased(0, 0, 0, 0, 0)
    assert _traces(premises.kept(), PERSON) == []


def test_who_was_erased_can_be_written_to_again(premises: Premises) -> None:
    premises.put(PERSON, MARKER)
    premises.queue.opt_out(NAME)
    premises.erase(PERSON)
    job_id = premises.put(PERSON, "a new beginning")
    premises.send(PERSON, "m_new")
    assert premises.queue.status(job_id)["state"] == State.SENT


def test_a_message_under_way_is_named_what_waits_is_cancelled_and_later_all_is_erased(premises: Premises) -> None:
    under_way = premises.put(PERSON, MARKER)
    waiting = premises.put(PERSON, MARKER)
    claimed = premises.begin()
    with pytest.raises(NotErased, match=f"job {under_way} is under way"):
        premises.erase(PERSON)
    assert premises.queue.status(waiting)["state"] == State.CANCELLED
    premises.queue.trip([Done(claimed, "settle", [], State.SENT, "m_mine", PERSON)])
    assert premises.erase(PERSON).jobs == 2
    assert _traces(premises.kept(), PERSON, MARKER, "m_mine") == []


def test_a_log_that_is_behind_is_said_to_be(premises: Premises) -> None:
    premises.stop_scheduler()
    premises.put(PERSON, MARKER)
    with pytest.raises(NotErased, match=r"the log is more than 0\.1 s behind"):
        premises.erase(PERSON, patience=0.1)


def test_a_recipient_that_is_no_id_is_erased_by_its_own_name(premises: Premises) -> None:
    premises.put({"phone_number": "+1(212)555-2368"}, MARKER)
    premises.put({"phone_number": "+1 212 555 2369"}, OTHER_MARKER)
    found = premises.erase({"phone_number": "+1 212 555 2368"})
    assert (found.cancelled, found.jobs) == (1, 1)
    assert _traces(premises.kept(), "2368", MARKER) == []
    assert _traces(premises.kept(), OTHER_MARKER)


def test_who_cannot_be_is_refused(premises: Premises) -> None:
    with pytest.raises(InvalidConversation, match=r"recipient\.id: must be a string of 1 to 64 digits"):
        premises.erase("seven")


def test_an_event_that_the_log_could_not_take_is_forgotten_too(premises: Premises) -> None:
    keys = premises.queue.keys
    premises.queue.redis.lpush(keys.aside, json.dumps({"why": "?", "fields": {"r": PERSON}}), "{}")
    premises.erase(PERSON)
    assert premises.queue.redis.lrange(keys.aside, 0, -1) == ["{}"]


def test_a_broadcast_to_a_very_long_token_names_nobody_either(premises: Premises) -> None:
    token = "a" * 900
    person = Door(Template.checked(PAGE, "hello", {})).check({"user_ref": token})
    assert isinstance(person, Person)
    now, broadcast_id = datetime.now(UTC), new_job_id()
    row = {
        "id": broadcast_id,
        "page_id": PAGE,
        "state": "finished",
        "content": "",
        "created_at": now,
        "touched_at": now,
    }
    with premises.engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
        connection.execute(insert(broadcasts).values(row))
        insert_people(connection, broadcast_id, [(1, person)])
    assert premises.erase({"user_ref": token}).broadcasts == 1
    with premises.engine.connect() as connection:
        found = connection.execute(select(people)).one()
    assert (found.recipient, found.given) == (f"erased:{found.job_id}", None)


def test_broadcasts_count_the_person_by_a_name_that_says_nothing(premises: Premises) -> None:
    engine = premises.engine.execution_options(sqlite_begin="IMMEDIATE")
    of_person = {"kind": "id", "recipient": PERSON, "given": {}, "error_message": "x"}
    states = ("pending", "feeding", "fed", "sent")
    rows = [
        {"broadcast_id": f"b{n}", "number": 1, "job_id": f"j{n}", "state": state, **of_person}
        for n, state in enumerate(states)
    ]
    now = datetime.now(UTC)
    common = {"state": "finished", "content": "", "created_at": now, "touched_at": now}
    pages = [*((row["broadcast_id"], PAGE) for row in rows), ("other", "200")]
    with engine.begin() as connection:
        connection.execute(insert(broadcasts), [{"id": name, "page_id": page, **common} for name, page in pages])
        connection.execute(insert(people), [*rows, {**rows[0], "broadcast_id": "other"}])

    assert premises.erase(PERSON).broadcasts == 4

    with engine.connect() as connection:
        found = [row for row in connection.execute(select(people)) if row.broadcast_id != "other"]
        others = connection.execute(select(people).where(people.c.broadcast_id == "other")).one()
    assert others.recipient == PERSON
    assert [(row.recipient, row.given, row.error_message) for row in found] == [
        (f"erased:j{n}", None, None) for n in range(4)
    ]
    assert [(row.state, row.cause) for row in found] == [
        ("refused", "erased"),
        ("refused", "erased"),
        ("fed", None),
        ("sent", None),
    ]
