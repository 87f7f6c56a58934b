"""A person whose messages are refused: later jobs are refused without a call, until the person writes again."""

from __future__ import annotations

from envoi.events import GraphError
from envoi.queue.claim import Claimed
from envoi.queue.refusal import Refusal
from envoi.states import State
from tests.integration.queue.hands import PAGE, Bench

GONE = Refusal(GraphError("person isn't available", 551))
CLOSED = Refusal(GraphError("outside the window", 10, 2018278), untagged_only=True)


def refuse(queue: Bench, refusal: Refusal, person: str = "1") -> Claimed:
    """One job to this person is refused."""
    queue.put(person)
    held = queue.take()
    queue.begin(held)
    queue.done(held, "settle", state=State.FAILED, error=refusal.error, refusal=refusal)
    return held


def test_whoever_claims_a_later_job_of_a_refused_person_is_told_so_and_others_are_not(queue: Bench) -> None:
    refuse(queue, CLOSED)
    queue.put("1")
    assert queue.take().refusal == CLOSED
    queue.put("2")
    queue.put("1", page="2")
    assert [held.refusal for held in queue.claim(5)] == [None, None]


def test_a_refusal_ends_with_its_time(queue: Bench) -> None:
    held = refuse(queue, GONE)
    lasts = queue.db.ttl(queue.keys.refusal(held.conversation))
    assert queue.settings.refusal_ttl - 60 < lasts <= queue.settings.refusal_ttl


def test_a_refusal_is_lifted_once_the_person_writes(queue: Bench) -> None:
    held = refuse(queue, GONE)
    assert queue.lift_refusal(held.conversation)
    assert not queue.lift_refusal(held.conversation), "there was none any more"
    queue.put("1")
    assert queue.take().refusal is None


def test_a_failed_job_that_refuses_nobody_leaves_nothing_behind(queue: Bench) -> None:
    queue.put("1")
    held = queue.take()
    queue.done(held, "settle", state=State.FAILED, error=GraphError("empty message", 100, 2018034))
    assert queue.db.exists(queue.keys.refusal(f"{PAGE}/id/1")) == 0


def test_a_message_that_was_accepted_after_all_refuses_nobody(queue: Bench) -> None:
    queue.put("1")
    held = queue.take()
    queue.begin(held)
    queue.done(held, "keep", message_id="m_1")
    queue.done(held, "settle", state=State.FAILED, refusal=GONE)
    assert queue.db.exists(queue.keys.refusal(held.conversation)) == 0
