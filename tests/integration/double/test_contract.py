"""What an app may rely on, of the real client and of its double alike: each test runs once with either."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest

from envoi import (
    BadSettings,
    BadSignature,
    InvalidConversation,
    InvalidJob,
    InvalidWebhook,
    Job,
    KeyConflict,
    NotInDoubt,
    QueueFull,
    State,
    StillOpen,
    UnknownJob,
)
from envoi.metadata import join_metadata
from tests.integration.double.rigs import Rig, moment, told

PAGE, ADA, BOB = "100", "7001", "7002"
DAY = 86_400.0


def signed(body: bytes, key: str = "sesame") -> str:
    return "sha256=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def webhook(rig: Rig, person: str, ago: float = 0.0, **event: Any) -> bytes:
    at = round((rig.now() - ago) * 1000)
    given = event or {"message": {"mid": "m_1", "text": "hello"}}
    told = {"sender": {"id": person}, "recipient": {"id": PAGE}, "timestamp": at, **given}
    return json.dumps({"object": "page", "entry": [{"id": PAGE, "time": at, "messaging": [told]}]}).encode()


def writes(rig: Rig, person: str, ago: float = 0.0) -> int:
    body = webhook(rig, person, ago)
    return rig.client.webhook(body, signed(body))


def state(rig: Rig, job_id: str) -> State:
    return rig.client.status(job_id).state


def test_what_the_send_api_would_refuse_is_refused_at_the_door(rig: Rig) -> None:
    for recipient, message, options in (
        (ADA, "", {}),
        (ADA, "x" * 2001, {}),
        ("Ada", "hello", {}),
        (ADA, "hello", {"tag": "ACCOUNT_UPDATE"}),
        (ADA, "hello", {"at": "tomorrow"}),
        (ADA, "hello", {"typo": 1}),
    ):
        with pytest.raises(InvalidJob):
            rig.client.send(PAGE, recipient, message, **options)
    assert rig.client.conversation(PAGE, ADA).waiting == 0


def test_jobs_of_one_person_are_sent_in_their_order(rig: Rig) -> None:
    ids = [rig.client.send(PAGE, ADA, f"no. {number}") for number in range(3)]
    assert [state(rig, job_id) for job_id in ids] == [State.QUEUED] * 3
    found = rig.client.conversation(PAGE, ADA)
    assert (found.waiting, found.head) == (3, ids[0])
    assert not rig.fail(ids[1]), "only the head of a line moves"
    assert rig.fail(ids[0])
    assert rig.deliver() == 2
    assert [state(rig, job_id) for job_id in ids] == [State.FAILED, State.SENT, State.SENT]
    first = rig.client.status(ids[0])
    assert first.error is not None
    assert (first.error.code, first.attempts) == (100, 1)
    second = rig.client.status(ids[1])
    assert (second.attempts, second.recipient_id) == (1, ADA)
    assert second.message_id


def test_a_key_is_taken_once(rig: Rig) -> None:
    first = rig.client.send(PAGE, ADA, "hello", key="k")
    assert rig.client.send(PAGE, ADA, "hello", key="k", lane="bulk") == first
    assert rig.client.send("101", ADA, "hello", key="k") != first
    with pytest.raises(KeyConflict, match=first):
        rig.client.send(PAGE, ADA, "good-bye", key="k")
    rig.deliver()
    assert rig.client.send(PAGE, ADA, "hello", key="k") == first
    rig.client.send_many([Job(page=PAGE, recipient=BOB, message="a", key="j")] * 2)
    assert rig.client.conversation(PAGE, BOB).waiting == 1


def test_many_jobs_with_a_conflict_are_all_left_out(rig: Rig) -> None:
    rig.client.send(PAGE, ADA, "hello", key="k")
    with pytest.raises(KeyConflict, match=r"number 2 of this call"):
        rig.client.send_many(
            [Job(page=PAGE, recipient=BOB, message="a"), Job(page=PAGE, recipient=BOB, message="b", key="k")]
        )
    assert rig.client.conversation(PAGE, BOB).waiting == 0


def test_a_job_for_later_enters_its_line_at_its_time(rig: Rig) -> None:
    at = moment(round(rig.now()) + 60)
    later = rig.client.send(PAGE, ADA, "later", at=at)
    assert rig.client.status(later).due_at == at
    assert rig.client.conversation(PAGE, ADA).scheduled == 1
    sooner = rig.client.send(PAGE, ADA, "sooner")
    assert rig.deliver() == 1
    assert [state(rig, sooner), state(rig, later)] == [State.SENT, State.SCHEDULED]
    rig.advance(61)
    assert state(rig, later) is State.QUEUED
    assert rig.deliver() == 1


def test_a_job_that_grew_too_old_is_not_sent(rig: Rig) -> None:
    reply = rig.client.send(PAGE, ADA, "hello")
    soon = rig.client.send(PAGE, BOB, "hello", expires_at=moment(rig.now() + 10))
    rig.advance(20)
    assert state(rig, soon) is State.QUEUED
    rig.advance(3600)
    assert rig.deliver() == 0
    assert [state(rig, reply), state(rig, soon)] == [State.EXPIRED] * 2


def test_what_is_cancelled_is_not_sent(rig: Rig) -> None:
    later = rig.client.send(PAGE, ADA, "later", at=moment(rig.now() + 60))
    head, behind = rig.client.send(PAGE, ADA, "a"), rig.client.send(PAGE, ADA, "b")
    assert [rig.client.cancel(job_id) for job_id in (later, behind, head)] == ["cancelled"] * 3
    assert rig.client.cancel(head) == "too_late"
    assert rig.deliver() == 0
    rig.advance(120)
    assert rig.deliver() == 0
    with pytest.raises(UnknownJob):
        rig.client.cancel("0" * 26)


def test_a_job_is_rescheduled_until_an_attempt_was_made(rig: Rig) -> None:
    first, second = rig.client.send(PAGE, ADA, "a"), rig.client.send(PAGE, ADA, "b")
    assert rig.client.reschedule(first, moment(rig.now() - 5)) == "queued"
    assert rig.client.conversation(PAGE, ADA).head == second
    assert rig.client.reschedule(second, moment(rig.now() + 60)) == "scheduled"
    assert rig.retry(first)
    assert rig.client.reschedule(first, moment(rig.now() + 60)) == "too_late"
    with pytest.raises(InvalidJob, match="at: must be"):
        rig.client.reschedule(second, "soon")  # type: ignore[arg-type]  # that is the point
    ends = rig.client.send(PAGE, BOB, "c", expires_at=moment(rig.now() + 100))
    with pytest.raises(InvalidJob, match="when the job expires"):
        rig.client.reschedule(ends, moment(rig.now() + 200))


def test_a_retry_waits_and_attempts_are_bounded(rig: Rig) -> None:
    job_id = rig.client.send(PAGE, ADA, "hello")
    for attempt in (1, 2):
        assert rig.retry(job_id)
        found = rig.client.status(job_id)
        assert (found.state, found.attempts) == (State.RETRYING, attempt)
        assert found.due_at is not None
        assert not rig.retry(job_id), "its time has not come"
        rig.advance(10)
    assert rig.retry(job_id)
    assert state(rig, job_id) is State.FAILED


def test_a_job_that_nobody_answered_for_is_settled_by_an_operator(rig: Rig) -> None:
    sent, again = rig.client.send(PAGE, ADA, "a"), rig.client.send(PAGE, BOB, "b")
    with pytest.raises(NotInDoubt):
        rig.client.resolve(sent, "sent")
    assert rig.lose_answer(sent)
    assert rig.lose_answer(again)
    assert state(rig, sent) is State.SETTLING
    assert rig.client.cancel(sent) == "too_late"
    assert rig.client.resolve(sent, "sent", "m_7").message_id == "m_7"
    assert rig.client.resolve(again, "not-sent").state is State.RETRYING
    rig.advance(1)
    assert rig.deliver() == 1
    assert rig.client.status(again).attempts == 2


def test_a_job_that_nobody_ever_answers_for_ends_unknown_and_may_be_sent_again(rig: Rig) -> None:
    stops = rig.client.send(PAGE, ADA, "a")
    again = rig.client.send(PAGE, BOB, "b", on_unknown="resend")
    for job_id in (stops, again):
        assert rig.lose_answer(job_id)
    rig.advance(1000)
    assert state(rig, stops) is State.UNKNOWN
    rig.advance(1)
    assert rig.deliver() == 1
    assert rig.client.status(again).attempts == 2
    assert rig.client.resolve(stops, "sent", "m_9").message_id == "m_9"


def test_a_job_that_nobody_answered_for_is_settled_by_its_echo(rig: Rig) -> None:
    job_id = rig.client.send(PAGE, ADA, "a")
    assert rig.lose_answer(job_id)
    echo = {"is_echo": True, "mid": "m_8", "metadata": join_metadata(None, job_id)}
    body = webhook(rig, PAGE, message=echo, recipient={"id": ADA})
    assert rig.client.webhook(body, signed(body)) == 1
    rig.settle_notices()
    found = rig.client.status(job_id)
    assert (found.state, found.message_id) == (State.SENT, "m_8")


def test_the_window_opens_when_the_person_writes_and_closes_after_a_day(rig: Rig) -> None:
    rig.client.send(PAGE, ADA, "nobody knows of her window")
    assert writes(rig, ADA, ago=DAY + 60) == 1
    with pytest.raises(InvalidJob, match=r"recipient: the window closed at .* 24 h"):
        rig.client.send(PAGE, ADA, "too late")
    rig.client.send(PAGE, ADA, "a human", messaging_type="MESSAGE_TAG", tag="HUMAN_AGENT")
    assert writes(rig, ADA) == 1
    last = rig.client.send(PAGE, ADA, "in time", expires_at=moment(rig.now() + 2 * DAY))
    later = rig.client.send(PAGE, ADA, "much later", at=moment(rig.now() + 3 * DAY))
    rig.advance(DAY + 1)
    rig.deliver()
    assert state(rig, last) is State.FAILED, "its window closed while it waited"
    assert state(rig, later) is State.SCHEDULED


def test_a_webhook_counts_only_with_its_signature(rig: Rig) -> None:
    body = webhook(rig, ADA)
    for wrong in (None, "", "sha256=00", signed(body, "other"), signed(body + b" ")):
        with pytest.raises(BadSignature):
            rig.client.webhook(body, wrong)
    with pytest.raises(InvalidWebhook):
        rig.client.webhook(b"[]", signed(b"[]"))
    query = {"hub.mode": "subscribe", "hub.verify_token": "open", "hub.challenge": "4711"}
    assert rig.client.webhook_challenge(query) == "4711"
    with pytest.raises(BadSignature):
        rig.client.webhook_challenge({**query, "hub.verify_token": "shut"})


def test_a_held_conversation_waits(rig: Rig) -> None:
    rig.client.hold(PAGE, ADA, until=moment(rig.now() + 60))
    rig.client.hold(PAGE, BOB)
    ids = [rig.client.send(PAGE, person, "hello") for person in (ADA, BOB)]
    assert rig.deliver() == 0
    assert sorted(one.recipient["id"] for one in rig.client.held(PAGE)) == [ADA, BOB]
    rig.advance(61)
    assert rig.deliver() == 1
    assert [state(rig, job_id) for job_id in ids] == [State.SENT, State.QUEUED]
    assert rig.client.release(PAGE, BOB)
    assert not rig.client.release(PAGE, ADA)
    rig.advance(1)
    assert rig.deliver() == 1
    with pytest.raises(InvalidConversation):
        rig.client.hold(PAGE, ADA, until=moment(1))
    with pytest.raises(InvalidConversation):
        rig.client.held("no page")


def test_who_has_opted_out_gets_nothing_but_what_must_go(rig: Rig) -> None:
    before = rig.client.send(PAGE, ADA, "before")
    assert rig.client.opt_out(PAGE, ADA)
    assert not rig.client.opt_out(PAGE, ADA)
    with pytest.raises(InvalidJob, match="opted out"):
        rig.client.send(PAGE, ADA, "hello")
    receipt = rig.client.send(PAGE, ADA, "your receipt", ignore_opt_out=True)
    assert [one.recipient for one in rig.client.opt_outs(PAGE)] == [{"id": ADA}]
    assert rig.deliver() == 1
    assert [state(rig, before), state(rig, receipt)] == [State.FAILED, State.SENT]
    assert rig.client.opt_in(PAGE, ADA)
    rig.client.send(PAGE, ADA, "welcome back")
    assert rig.deliver() == 1


def test_all_of_a_conversation_is_cancelled_at_once(rig: Rig) -> None:
    ids = [rig.client.send(PAGE, ADA, f"no. {number}") for number in range(3)]
    later = rig.client.send(PAGE, ADA, "later", at=moment(rig.now() + 60))
    assert rig.lose_answer(ids[0])
    found = rig.client.cancel_all(PAGE, ADA)
    assert (found.cancelled, found.going_on) == (3, ids[0])
    assert state(rig, later) is State.CANCELLED


def test_an_action_is_a_job_in_its_line(rig: Rig) -> None:
    first = rig.client.send(PAGE, ADA, "hello")
    seen = rig.client.action(PAGE, ADA, "mark_seen")
    assert rig.deliver() == 2
    assert state(rig, first) is State.SENT
    assert (rig.client.status(seen).state, rig.client.status(seen).message_id) == (State.SENT, None)
    with pytest.raises(InvalidJob):
        rig.client.action(PAGE, ADA, "wave")


def test_outcomes_are_told_in_order_until_they_are_acknowledged(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(on_outcome="stream:shop")
    sent, failed = rig.client.send(PAGE, ADA, "a", key="ä,b"), rig.client.send(PAGE, ADA, "b")
    rig.client.send(PAGE, ADA, "not told", on_outcome=None)
    reader = rig.client.outcomes("shop")
    assert reader.read() == []
    rig.deliver()
    first, second = reader.read()
    assert told(first)[:2] == (sent, State.SENT)
    assert (first.key, first.target, first.recipient_id, second.job_id) == ("ä,b", "shop", ADA, failed)
    other = rig.client.outcomes("shop", consumer="other")
    assert other.read() == []
    assert reader.read(count=1) == [first]
    reader.acknowledge(first)
    assert reader.read() == [second]
    assert other.take_over(idle=0) == 1
    assert reader.read() == []
    for outcome in other.follow():
        assert outcome == second
        break
    with pytest.raises(BadSettings):
        rig.client.outcomes("no such name!")


def test_outcomes_that_nobody_reads_refuse_new_jobs(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(on_outcome="stream:shop")
    for number in range(1000):
        rig.client.cancel(rig.client.send(PAGE, str(number), "a", on_outcome="stream:deaf"))
        if number % 400 == 0 and hasattr(rig, "queue"):
            rig.queue.redis.delete(rig.queue.keys.events)  # as the log writer does
    if hasattr(rig, "queue"):
        rig.queue.redis.delete(rig.queue.keys.events)
    with pytest.raises(QueueFull, match="outcomes wait unread: stream:deaf"):
        rig.client.send(PAGE, ADA, "a", on_outcome="stream:deaf")
    rig.client.send(PAGE, ADA, "a")


def test_a_wait_ends_with_the_outcome_or_the_time(rig: Rig) -> None:
    job_id = rig.client.send(PAGE, ADA, "a")
    with pytest.raises(StillOpen) as caught:
        rig.client.wait(job_id, 0.02)
    assert caught.value.state is State.QUEUED
    rig.deliver()
    assert rig.client.wait(job_id, 0).state is State.SENT


def test_a_settled_job_is_known_for_a_day(rig: Rig) -> None:
    job_id = rig.client.send(PAGE, ADA, "a", key="k")
    rig.deliver()
    rig.advance(3600)
    assert state(rig, job_id) is State.SENT
