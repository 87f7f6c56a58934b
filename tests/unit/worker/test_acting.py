"""One attempt of an action, driven by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from envoi import Action
from envoi.events import CallRecord, GraphError
from envoi.queue.claim import Claimed
from envoi.queue.done import Done
from envoi.queue.page_commands import HoldPage
from envoi.queue.refusal import Refusal
from envoi.settings import Settings
from envoi.states import State
from tests.unit.worker.attempt import ACTED, held
from worker.acting import Acting, attempt
from worker.asks import Call
from worker.delivery import Delivery
from worker.flower import redacted
from worker.graph import Outcome
from worker.steps import Step, body_of, is_media
from worker.verdicts import Refused, Throttled, TryLater, Unknown, Verdict

ERROR = GraphError("no", 100, 2018048)
RECORD = CallRecord("react", 1.0, 1.0, "Refused")


def claimed(refusal: Refusal | None = None, **fields: Any) -> Claimed:
    found = held(refusal=refusal)
    job = Action(**{"page": "1", "recipient": "7", "action": "mark_seen", **fields}).payload(found.job_id)
    return Claimed(**{**{name: getattr(found, name) for name in Claimed.__slots__}, "job": json.loads(job)})


def play(
    held: Claimed,
    verdict: Verdict = ACTED,
    *,
    record: CallRecord | None = RECORD,
    restraints: tuple[HoldPage, ...] = (),
) -> Any:
    """The asks of an attempt whose call comes to a verdict, what it came to, and the attempt."""
    made = attempt(held, Settings())
    asks, value, walk = [], None, made.walk()
    try:
        while True:
            ask = walk.send(value)
            asks.append(ask)
            value = Outcome(verdict, record, restraints) if isinstance(ask, Call) else "ok"
    except StopIteration as end:
        return asks, end.value, made


def test_the_walk_is_chosen_by_the_job() -> None:
    assert type(attempt(claimed(), Settings())) is Acting
    assert type(attempt(held(), Settings())) is Delivery


def test_an_action_is_one_call_and_sent_when_it_is_accepted() -> None:
    (call, done), came_to, made = play(claimed(action="react", message_id="m_1", reaction="❤"))
    assert (call.step, came_to) == (Step.REACT, "sent")
    assert (done.op, done.state, done.recipient_id, done.message_id, done.error) == ("settle", "sent", "7", None, None)
    assert done.calls == [RECORD] == made.records


@pytest.mark.parametrize(
    "verdict",
    [
        Refused(ERROR, "message"),
        Refused(ERROR, "recipient"),
        Refused(ERROR, "page"),
        Throttled(ERROR, "page", 60.0),
        Throttled(ERROR, "app", 60.0),
        TryLater(ERROR, answered=True),
        Unknown(ERROR),
    ],
)
def test_whatever_it_fails_by_it_settles_at_once_and_touches_neither_page_nor_person(verdict: Verdict) -> None:
    asks, came_to, _ = play(claimed(), verdict)
    assert [type(ask) for ask in asks] == [Call, Done]
    done = asks[1]
    assert (done.op, done.state, done.error, done.refusal, came_to) == ("settle", State.FAILED, ERROR, None, "failed")


@pytest.mark.parametrize(
    ("verdict", "wait"), [(TryLater(ERROR, answered=False), 1.0), (Throttled(ERROR, "recipient", 5.0), 5.0)]
)
def test_an_attempt_without_a_call_is_given_back(verdict: Verdict, wait: float) -> None:
    asks, came_to, _ = play(claimed(), verdict, record=None)
    assert (asks[1].op, asks[1].seconds, came_to) == ("back", wait, "back")


def test_without_a_token_it_fails() -> None:
    assert play(claimed(), Refused(ERROR, "page"), record=None)[1] == "failed"


def test_usage_headers_hold_the_page_as_after_any_call() -> None:
    asks, _, _ = play(claimed(), restraints=(HoldPage("1", 9.0),))
    assert asks[-1] == HoldPage("1", 9.0)


def test_a_person_who_refused_a_message_gets_no_action() -> None:
    asks, came_to, _ = play(claimed(Refusal(ERROR)))
    assert ([type(ask) for ask in asks], came_to) == ([Done], "failed")


def test_the_body_carries_the_recipient_the_action_and_what_a_reaction_is_about() -> None:
    react = claimed(action="react", message_id="m_1", reaction="❤").job
    assert json.loads(body_of(Step.REACT, react)) == {
        "recipient": {"id": "7"},
        "sender_action": "react",
        "payload": {"message_id": "m_1", "reaction": "❤"},
    }
    assert json.loads(body_of(Step.MARK_SEEN, claimed().job)) == {
        "recipient": {"id": "7"},
        "sender_action": "mark_seen",
    }
    assert not is_media(react)


def test_flower_shows_the_action_and_not_whom_it_is_about() -> None:
    shown = redacted(
        claimed(action="react", message_id="m_secret", reaction="❤", recipient="7000000001234").job, "replies"
    )
    assert shown == "{'page': '1', 'id': '…1234', 'lane': 'replies', 'sender_action': 'react'}"
