"""Whole conversations, as a web app handles them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import redis

from envoi import CancelledAll, Conversation, Envoi, InvalidConversation, InvalidJob, Job, Recovering, State, outbox
from envoi.outbox.database import open_outbox
from tests.integration.door.conftest import opened


@pytest.fixture
def envoi(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Envoi:
    """A client of an open queue."""
    monkeypatch.setenv("ENVOI_REDIS_URL", redis_url)
    return Envoi(opened(redis_url))


def test_a_conversation_of_which_nothing_is_known(envoi: Envoi) -> None:
    assert envoi.conversation("100", "7") == Conversation("100", {"id": "7"}, 0, None, 0, None, None, None)


def test_what_waits_and_what_is_said_of_a_conversation(envoi: Envoi) -> None:
    first = envoi.send("100", "7", "one")
    envoi.cancel(envoi.send("100", "7", "two"))
    envoi.send("100", "7", "three")
    envoi.send("100", "7", "later", at=datetime.now(UTC) + timedelta(hours=1))
    until = datetime.now(UTC) + timedelta(hours=2)
    envoi.hold("100", "7", until=until)
    envoi.opt_out("100", "7")
    found = envoi.conversation("100", "7")
    assert (found.waiting, found.head, found.scheduled) == (2, first, 1)
    assert found.held_until == until
    assert found.held_since
    assert found.held_since.tzinfo
    assert found.opted_out_since
    assert envoi.status(first).state is State.QUEUED


def test_held_conversations_and_opt_outs_of_a_page_are_listed_by_recipient(envoi: Envoi) -> None:
    envoi.hold("100", "7")
    envoi.hold("100", {"user_ref": "a/b ü"})
    envoi.hold("200", "7")
    envoi.opt_out("100", {"phone_number": "+1(212)555-2368"})
    kinds = {"id": "7", "user_ref": "a/b ü"}
    assert {tuple(*one.recipient.items()) for one in envoi.held("100")} == set(kinds.items())
    assert [one.until for one in envoi.held("200")] == [None]
    assert [one.recipient for one in envoi.opt_outs("100")] == [{"phone_number": "+12125552368"}]
    assert [one.recipient for one in envoi.opt_outs("200")] == []


def test_hold_and_release_say_what_they_changed(envoi: Envoi) -> None:
    envoi.hold("100", "7")
    assert envoi.release("100", "7")
    assert not envoi.release("100", "7")
    assert list(envoi.held("100")) == []


def test_opt_out_and_opt_in_say_what_they_changed(envoi: Envoi) -> None:
    assert envoi.opt_out("100", "7")
    assert not envoi.opt_out("100", "7")
    assert envoi.opt_in("100", "7")
    assert not envoi.opt_in("100", "7")


def test_a_job_to_a_person_who_has_opted_out_is_refused_unless_it_must_go(envoi: Envoi) -> None:
    envoi.opt_out("100", "7")
    with pytest.raises(InvalidJob, match=r"recipient: the person has opted out"):
        envoi.send("100", "7", "hello")
    assert envoi.send("100", "7", "your receipt", ignore_opt_out=True)
    jobs = [Job(page="100", recipient=person, message="hello") for person in ("1", "7")]
    with pytest.raises(InvalidJob, match="number 2 of this call"):
        envoi.send_many(jobs)
    assert envoi.conversation("100", "1").waiting == 0


def test_an_entry_of_an_outbox_for_such_a_person_is_refused_when_it_is_relayed(envoi: Envoi, sqlite_url: str) -> None:
    engine = open_outbox(sqlite_url)
    outbox.metadata.create_all(engine)
    envoi.opt_out("100", "7")
    with engine.begin() as connection:
        refused = outbox.send(connection, "100", "7", "hello")
        taken = [
            outbox.send(connection, "100", "8", "hello"),
            outbox.send(connection, "100", "7", "x", ignore_opt_out=True),
        ]
    outbox.Relay(engine).turn()
    with engine.connect() as connection:
        [left] = outbox.waiting(connection)
    assert left.job_id == refused
    assert left.error
    assert "the person has opted out" in left.error
    assert [envoi.status(job_id).state for job_id in taken] == [State.QUEUED] * 2
    engine.dispose()


def test_cancel_all_ends_every_job_that_waits(envoi: Envoi) -> None:
    ids = [envoi.send("100", "7", str(number)) for number in range(3)]
    ids.append(envoi.send("100", "7", "later", at=datetime.now(UTC) + timedelta(hours=1)))
    assert envoi.cancel_all("100", "7") == CancelledAll(4)
    assert {envoi.status(job_id).state for job_id in ids} == {State.CANCELLED}


def test_cancel_all_waits_for_the_gate(envoi: Envoi, redis_client: redis.Redis) -> None:
    envoi.send("100", "7", "one")
    redis_client.script_flush()
    with pytest.raises(Recovering):
        envoi.cancel_all("100", "7")


@pytest.mark.parametrize(
    ("page", "recipient", "field"),
    [
        ("a b", "7", "page"),
        (100, "7", "page"),
        ("100", "seven", "recipient.id"),
        ("100", 7, "recipient"),
        ("100", {"id": "7", "user_ref": "x"}, "recipient"),
        ("100", {}, "recipient"),
    ],
)
def test_what_can_be_no_conversation_is_refused_by_every_method(
    envoi: Envoi, page: str, recipient: str, field: str
) -> None:
    for method in (envoi.hold, envoi.release, envoi.conversation, envoi.cancel_all, envoi.opt_out, envoi.opt_in):
        with pytest.raises(InvalidConversation) as caught:
            method(page, recipient)
        assert [problem.field for problem in caught.value.problems] == [field]


def test_a_page_that_cannot_be_is_refused_before_anything_is_listed(envoi: Envoi) -> None:
    for method in (envoi.held, envoi.opt_outs):
        with pytest.raises(InvalidConversation, match="page: must be 1 to 64 letters"):
            method("a b")


def test_the_end_of_a_hold_must_be_an_aware_time_to_come(envoi: Envoi) -> None:
    with pytest.raises(InvalidConversation, match="until: must be an aware datetime"):
        envoi.hold("100", "7", until=datetime(2030, 1, 1))  # noqa: DTZ001  # that is the point
    with pytest.raises(InvalidConversation, match="until: must lie in the future"):
        envoi.hold("100", "7", until=datetime.now(UTC))
    with pytest.raises(InvalidConversation, match="until: must lie between 1970 and 366 days from now"):
        envoi.hold("100", "7", until=datetime.now(UTC) + timedelta(days=400))
    assert list(envoi.held("100")) == []
