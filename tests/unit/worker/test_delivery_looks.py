"""The one look before an attempt that follows an answered error."""

from __future__ import annotations

import pytest

from envoi.events import GraphError
from envoi.queue.begin import Begin
from envoi.queue.glances import LookIn, MayLook, SkipLooks
from envoi.settings import Settings
from tests.unit.worker.attempt import START, Play, held
from worker.evidence import Shown, Thread
from worker.looks import Blind, Busy, Dead, Looked, Missed, Seen
from worker.steps import Step
from worker.verdicts import TryLater

ERROR = GraphError("text", 10)
MAY = MayLook(0.0, START, {"m_0": START - 20.0})
OLD = Shown("m_old", START - 500.0, "1", "x")
OURS = Shown("m_9", START - 4.0, "1", "hello")
BEFORE = Shown("m_0", START - 21.0, "1", "hello")
ON = ["glance", "look", "typing_on", "begin", "message", "keep", "typing_off", "settle sent"]


def again(*messages: Shown) -> Play:
    """The second attempt: the first call was begun five seconds ago."""
    looked = Looked(Seen(Thread(messages, whole=False)))
    return Play(held(attempt=2, look_from=START - 5.0), glance=MAY, looked=looked)


def test_a_message_that_is_found_settles_without_a_message_call() -> None:
    play = again(OURS, BEFORE, OLD)
    assert play.plot == ["glance", "look", "settle sent"]
    assert play.done("settle").message_id == "m_9"
    assert play.delivery.look == "found"


def test_absence_lets_the_attempt_go_on() -> None:
    play = again(BEFORE, OLD)
    assert play.plot == ON
    assert play.delivery.look == "not there yet"


def test_what_proves_nothing_lets_the_attempt_go_on() -> None:
    assert again(Shown("m_8", START - 3.0, "1", "from a human"), BEFORE, OLD).plot == ON


@pytest.mark.parametrize(
    ("sight", "told"),
    [
        (Blind(ERROR), SkipLooks("1:id:7", "blind")),
        (Busy(ERROR, 9.0), SkipLooks("1:id:7", "later", 9.0)),
        (Missed(ERROR), None),
        (Dead(ERROR), None),
    ],
)
def test_a_look_that_cannot_be_had_lets_the_attempt_go_on(sight: Blind | Busy | Missed, told: SkipLooks | None) -> None:
    play = Play(held(attempt=2, look_from=START - 5.0), glance=MAY, looked=Looked(sight))
    assert [ask for ask in play.asks if isinstance(ask, SkipLooks)] == ([told] if told else [])
    assert play.end == "sent"


def test_where_the_budget_of_looks_is_used_up_the_attempt_is_given_back_until_there_is_some() -> None:
    play = Play(held(attempt=2, look_from=START - 5.0), glance=LookIn(3.0))
    assert play.plot == ["glance", "back"]
    assert play.done("back").seconds == 3.0


def test_a_short_wait_for_the_budget_is_sat_through() -> None:
    play = Play(
        held(attempt=2, look_from=START - 5.0, typing=False),
        glance=MayLook(0.1, START, {}),
        looked=Looked(Missed(ERROR)),
    )
    assert play.plot == ["glance", "wait", "look", "begin", "message", "settle sent"]


def test_nothing_is_looked_for_where_it_cannot_be_found_or_nobody_wants_it() -> None:
    without = ["typing_on", "begin", "message", "keep", "typing_off", "settle sent"]
    assert Play(held(attempt=2)).plot == without
    assert Play(held(attempt=2, look_from=START), rules=Settings(looks=False)).plot == without
    assert Play(held(attempt=2, look_from=START, recipient={"user_ref": "x"})).plot == [
        "begin",
        "message",
        "settle sent",
    ]
    assert Play(held(attempt=2, look_from=START)).plot == ["glance", *without]


@pytest.mark.parametrize("answered", [True, False])
def test_only_an_answered_error_asks_for_a_look_before_the_next_attempt(*, answered: bool) -> None:
    play = Play(held(), {Step.MESSAGE: TryLater(ERROR, answered=answered)})
    assert play.done("keep").answered is play.done("retry").answered is answered


@pytest.mark.parametrize(("message", "wait"), [({"text": "a"}, 150.0), ({"attachment": {"type": "video"}}, 210.0)])
def test_begin_says_how_long_absence_proves_nothing_after_such_a_message(
    message: dict[str, object], wait: float
) -> None:
    [begin] = [ask for ask in Play(held(message=message)).asks if isinstance(ask, Begin)]
    assert begin.settle_wait == wait
