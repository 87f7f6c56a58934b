"""Private replies in one attempt, driven by hand."""

from __future__ import annotations

import pytest

from envoi.events import GraphError
from envoi.states import State
from tests.unit.worker.attempt import Play, held
from worker.steps import Step
from worker.verdicts import Refused, Throttled, TryLater, Unknown, Verdict

ERROR = GraphError("no", 100)
REPLIED = Refused(GraphError("Activity already replied to", 10900), "message")


@pytest.mark.parametrize("kind", ["comment_id", "post_id"])
def test_already_replied_after_a_call_that_may_have_been_taken_is_sent(kind: str) -> None:
    play = Play(held(recipient={kind: "1_2"}), {Step.MESSAGE: REPLIED}, called=True)
    assert play.plot == ["begin", "called call", "message", "settle sent"]
    done = play.done("settle")
    assert (done.state, done.message_id, done.refusal) == (State.SENT, None, None)
    assert done.error is not None
    assert done.error.code == 10900
    assert play.end == "sent"


def test_already_replied_to_a_first_call_is_somebody_elses_reply() -> None:
    play = Play(held(recipient={"comment_id": "1_2"}), {Step.MESSAGE: REPLIED})
    assert play.plot == ["begin", "called call", "message", "called clear", "settle failed"]


def test_another_refusal_of_a_resend_is_no_evidence() -> None:
    play = Play(held(recipient={"comment_id": "1_2"}), {Step.MESSAGE: Refused(ERROR, "message")}, called=True)
    assert play.plot[-1] == "settle failed"


@pytest.mark.parametrize(
    ("verdict", "cleared"),
    [
        (TryLater(ERROR, answered=False), True),
        (TryLater(ERROR, answered=True), False),
        (Throttled(ERROR, "page", 1.0), True),
        (Unknown(ERROR), False),
    ],
)
def test_only_what_was_surely_not_taken_is_no_call(verdict: Verdict, *, cleared: bool) -> None:
    play = Play(held(recipient={"comment_id": "1_2"}), {Step.MESSAGE: verdict})
    assert ("called clear" in play.plot) is cleared


def test_other_recipients_are_asked_nothing() -> None:
    for recipient in ({"id": "7"}, {"user_ref": "x"}):
        play = Play(held(recipient=recipient, typing=False), {Step.MESSAGE: REPLIED}, called=True)
        assert play.plot == ["begin", "message", "settle failed"]
