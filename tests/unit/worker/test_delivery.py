"""One attempt, driven by hand through every path."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from envoi.events import GraphError
from envoi.queue.begin import AlreadySent, Begin, Go, No, Stale
from envoi.queue.page_commands import HoldPage, PausePage, SlowPage
from envoi.queue.refusal import Refusal
from envoi.settings import Settings
from envoi.states import State
from tests.unit.worker.attempt import ACTED, SENT, START, Play, held, outcome
from worker.asks import Call, Wait
from worker.graph import Outcome
from worker.steps import Step
from worker.verdicts import Refused, Throttled, TryLater, Unknown, Verdict

ERROR = GraphError("text", 2)
LATER = TryLater(ERROR, answered=True)
LOST = TryLater(ERROR, answered=False)
FAILURES: list[Verdict] = [LATER, LOST, Unknown(ERROR), Refused(ERROR, "page"), Throttled(ERROR, "app", 9.0)]


def test_an_accepted_message_goes_between_its_typing_and_its_id_is_told_before_typing_off() -> None:
    play = Play(held())
    assert play.plot == ["typing_on", "begin", "message", "keep", "typing_off", "settle sent"]
    assert play.end == "sent"
    kept, settled = play.done("keep"), play.done("settle")
    assert (kept.message_id, kept.recipient_id) == (settled.message_id, settled.recipient_id) == ("m_1", "7")


def test_without_typing_the_message_is_the_only_call_and_settles_at_once() -> None:
    assert Play(held(typing=False)).plot == ["begin", "message", "settle sent"]


def test_a_recipient_not_given_by_id_gets_the_message_alone() -> None:
    play = Play(held(recipient={"user_ref": "x"}, mark_seen=True, typing=5))
    assert play.plot == ["begin", "message", "settle sent"]


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("step", [Step.MARK_SEEN, Step.TYPING_ON, Step.TYPING_OFF])
def test_a_courtesy_never_fails_or_repeats_the_message(step: Step, failure: Verdict) -> None:
    play = Play(held(mark_seen=True), {step: failure})
    assert play.plot == ["mark_seen", "typing_on", "begin", "message", "keep", "typing_off", "settle sent"]


def test_every_call_is_told_in_order_with_how_the_attempt_ends() -> None:
    for play in (
        Play(held(mark_seen=True)),
        Play(held(mark_seen=True), {Step.MESSAGE: LATER}),
        Play(held(mark_seen=True), {Step.MESSAGE: Unknown(ERROR)}),
        Play(held(mark_seen=True, typing=5)),
        Play(held(mark_seen=True), begin=No("pace", 3.0)),
        Play(held(mark_seen=True), begin=No("expired")),
    ):
        assert play.told == [record.step for record in play.delivery.records]
        assert play.told[:2] == ["mark_seen", "typing_on"]


@pytest.mark.parametrize(
    ("verdict", "ops"),
    [
        (LATER, ["keep", "typing_off", "retry"]),
        (LOST, ["keep", "typing_off", "retry"]),
        (Refused(ERROR, "message"), ["keep", "typing_off", "settle failed"]),
        (Refused(ERROR, "recipient"), ["keep", "typing_off", "settle failed"]),
        (Refused(ERROR, "page"), ["keep", "pause", "typing_off", "back"]),
        (Throttled(ERROR, "page", 9.0), ["keep", "hold", "typing_off", "back"]),
        (Throttled(ERROR, "app", 9.0), ["keep", "hold", "typing_off", "back"]),
        (Throttled(ERROR, "recipient", 9.0), ["keep", "typing_off", "back"]),
        (Unknown(ERROR), ["unsure"]),
    ],
)
def test_each_verdict_of_the_message_call_has_its_consequence(verdict: Verdict, ops: list[str]) -> None:
    play = Play(held(), {Step.MESSAGE: verdict})
    assert play.plot == ["typing_on", "begin", "message", *ops]
    plain = Play(held(typing=False), {Step.MESSAGE: verdict})
    assert plain.plot == ["begin", "message", *(op for op in ops if op not in {"keep", "typing_off"})]


def test_the_page_is_seen_to_before_the_conversation_is_let_go() -> None:
    pause = Play(held(token_version=4, typing=False), {Step.MESSAGE: Refused(GraphError("dead", 190, 460), "page")})
    assert pause.asks[-2] == PausePage("1", "190/460: dead", 4)
    hold = Play(held(typing=False), {Step.MESSAGE: Throttled(ERROR, "page", 9.0)})
    assert hold.asks[-2] == HoldPage("1", 9.0)


def test_typing_off_follows_a_failure_only_while_the_bubble_may_show() -> None:
    class Slow(Play):
        def _answer(self, ask: object) -> object:
            answer = super()._answer(ask)  # type: ignore[arg-type]  # whatever the walk asks
            if isinstance(ask, Begin):
                self.now += 20.0
            return answer

    assert Slow(held(), {Step.MESSAGE: LATER}).plot == ["typing_on", "begin", "message", "retry"]


def test_a_holder_whose_lease_is_lost_makes_no_call_after_its_fact_was_taken() -> None:
    play = Play(held(), {Step.MESSAGE: LATER}, keep="settled")
    assert play.plot == ["typing_on", "begin", "message", "keep"]


def test_a_message_id_is_told_before_typing_off_and_nobody_waits_until_the_queue_has_it() -> None:
    play = Play(held(), settled="settled")
    assert play.plot == ["typing_on", "begin", "message", "keep", "typing_off", "settle sent"]
    assert play.not_waited_for == [play.done("keep")]
    assert play.done("keep").message_id == "m_1"
    assert play.end == "sent: late"  # the lease was lost, and the fact taken


def test_a_lease_is_renewed_for_the_message_only_once_it_is_not_fresh_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    def renews(rules: Settings) -> bool:
        [begun] = [ask for ask in Play(held(), rules=rules).asks if isinstance(ask, Begin)]
        return begun.renew

    assert not renews(Settings())
    moments = itertools.count(100.0, Settings().lease / 5)
    monkeypatch.setattr("worker.slot.time.monotonic", lambda: next(moments))
    assert renews(Settings())


def test_so_short_a_wait_for_the_slot_is_none() -> None:
    assert Play(held(), begin=Go(0.001)).plot == Play(held(), begin=Go(0.0)).plot
    assert "wait" in Play(held(), begin=Go(0.002)).plot


def test_a_stale_holder_does_nothing_at_all() -> None:
    play = Play(held(), begin=Stale())
    assert play.plot == ["typing_on", "begin"]
    assert play.end == "stale"


def test_a_fact_that_came_first_settles_without_a_message_call() -> None:
    early = Play(held(message_id="m_0"))
    assert early.plot == ["settle sent"]
    assert early.done("settle").message_id == "m_0"
    late = Play(held(), begin=AlreadySent("m_0"))
    assert late.plot == ["typing_on", "begin", "typing_off", "settle sent"]
    assert late.done("settle").message_id == "m_0"


@pytest.mark.parametrize(
    ("why", "ops"),
    [
        ("cancelled", ["typing_off", "settle cancelled"]),
        ("expired", ["typing_off", "settle expired"]),
        ("paused", ["typing_off", "back"]),
        ("held", ["typing_off", "back"]),
        ("opted_out", ["typing_off", "settle failed"]),
        ("shutdown", ["typing_off", "back"]),
    ],
)
def test_a_no_from_begin_takes_the_bubble_away_and_lets_go(why: str, ops: list[str]) -> None:
    assert Play(held(), begin=No(why)).plot == ["typing_on", "begin", *ops]
    assert Play(held(typing=False), begin=No(why)).plot == ["begin", *ops[1:]]


def test_a_wait_for_the_pace_leaves_the_bubble_and_gives_the_turn_back() -> None:
    play = Play(held(), begin=No("pace", 3.0))
    assert play.plot == ["typing_on", "begin", "back"]
    assert play.done("back").seconds == 3.0


def test_a_short_wait_for_the_pace_is_sat_through() -> None:
    play = Play(held(typing=False), begin=Go(0.15))
    assert play.plot == ["begin", "wait", "message", "settle sent"]
    assert play.asks[1] == Wait(0.15)


def test_while_the_gate_is_shut_begin_is_asked_again_and_the_job_is_not_given_back() -> None:
    answers = [No("gate"), No("gate"), Stale()]
    play = Play(held(), begin=lambda _: answers.pop(0))
    assert play.plot == ["typing_on", "begin", "wait", "begin", "wait", "begin"]
    assert play.told == ["typing_on"]


def test_a_shutdown_at_the_gate_lets_go() -> None:
    answers = [No("gate"), No("shutdown")]
    play = Play(held(typing=False), begin=lambda _: answers.pop(0))
    assert play.plot == ["begin", "wait", "begin", "back"]


# ---- mark_seen and repeated attempts


def test_mark_seen_is_made_in_the_first_attempt_only() -> None:
    assert "mark_seen" in Play(held(mark_seen=True)).plot
    assert "mark_seen" not in Play(held(mark_seen=True, attempt=2)).plot


@pytest.mark.parametrize("typing", [True, False, 5])
def test_mark_seen_is_not_repeated_when_the_first_attempt_was_given_back(*, typing: bool | int) -> None:
    given_back = Play(held(mark_seen=True, typing=typing), begin=No("pace", 3.0))
    noted = given_back.done("back").typed_at
    assert noted
    assert "mark_seen" not in Play(held(mark_seen=True, typing=typing, typed_at=noted)).plot


@pytest.mark.parametrize(("age", "again"), [(5.0, False), (14.0, False), (16.0, True), (300.0, True)])
def test_typing_on_is_repeated_if_the_last_is_over_15_seconds_old(age: float, *, again: bool) -> None:
    assert ("typing_on" in Play(held(typed_at=START - age)).plot) is again


# ---- typing pauses


def plays(start: float = START, **job: object) -> list[Play]:
    """One attempt after the other, each put back at its time, until the job is settled."""
    found: list[Play] = []
    typed_at: float | None = None
    while not found or found[-1].end.startswith("back"):
        found.append(Play(held(typed_at=typed_at, **job), start=start))  # type: ignore[arg-type]  # any job
        if found[-1].end == "back: typing":
            back = found[-1].done("back")
            typed_at, start = back.typed_at, found[-1].now + back.seconds
    return found


def test_a_typing_pause_gives_the_slot_back_and_the_next_claim_goes_on() -> None:
    first, second = plays(typing=5)
    assert first.plot == ["typing_on", "back"]
    assert first.done("back").seconds == pytest.approx(5.0)
    assert second.plot == ["begin", "message", "keep", "typing_off", "settle sent"]


def test_the_next_attempt_knows_since_when_typing_shows() -> None:
    first, second = plays(typing=5)
    (begun,) = (ask for ask in second.asks if isinstance(ask, Begin))
    assert first.done("back").typed_at == begun.typed_at == START + 0.5


@pytest.mark.parametrize("answer", [No("paused"), No("shutdown")])
def test_a_job_given_back_after_typing_off_is_given_back_without_a_bubble(answer: No) -> None:
    """Else the next attempt would take the bubble for one that still shows."""
    play = Play(held(), begin=answer)
    assert play.plot == ["typing_on", "begin", "typing_off", "back"]
    assert play.done("back").typed_at is None


def test_a_job_given_back_for_its_pace_keeps_its_bubble() -> None:
    play = Play(held(), begin=No("pace", 3.0))
    assert play.plot == ["typing_on", "begin", "back"]
    assert play.done("back").typed_at == START + 0.5


def test_what_the_queue_was_not_told_at_shutdown_is_told_when_the_job_is_given_back() -> None:
    play = Play(held(), begin=No("shutdown"))
    assert [call.step for call in play.done("back").calls] == ["typing_on", "typing_off"]


def test_a_blink_of_typing_is_waited_for() -> None:
    (play,) = plays(typing=0.2)
    assert play.plot == ["typing_on", "wait", "begin", "message", "keep", "typing_off", "settle sent"]
    (wait,) = (ask for ask in play.asks if isinstance(ask, Wait))
    assert wait.seconds == pytest.approx(0.2)


def test_a_long_typing_pause_repeats_typing_on_before_the_bubble_ends() -> None:
    played = plays(typing=40)
    assert [play.plot[0] for play in played] == ["typing_on", "typing_on", "typing_on", "begin"]
    backs = [play.done("back").seconds for play in played[:-1]]
    assert max(backs) <= 15.0
    message_at = played[-1].now - 1.0  # before it and typing_off
    assert message_at - (START + 0.5) == pytest.approx(40.0, abs=0.01)


def test_auto_typing_pauses_by_the_length_of_the_text() -> None:
    first, _ = plays(typing="auto", message={"text": "x" * 100})
    assert first.done("back").seconds == pytest.approx(3.5)


def test_without_a_bubble_there_is_no_pause() -> None:
    play = Play(held(typing=5), {Step.TYPING_ON: Refused(ERROR, "recipient")})
    assert play.plot == ["typing_on", "begin", "message", "keep", "typing_off", "settle sent"]


def test_a_bubble_that_may_have_come_up_counts() -> None:
    assert Play(held(typing=5), {Step.TYPING_ON: Unknown(ERROR)}).end == "back: typing"


def test_a_retry_does_not_pause_again() -> None:
    play = Play(held(typing=5, attempt=2))
    assert play.plot == ["typing_on", "begin", "message", "keep", "typing_off", "settle sent"]


# ---- usage headers


def test_a_page_whose_quota_is_nearly_used_up_holds_after_the_message_is_settled() -> None:
    play = Play(held(), {Step.MESSAGE: outcome(Step.MESSAGE, SENT, HoldPage("1", 120.0))})
    assert play.plot == ["typing_on", "begin", "message", "keep", "typing_off", "settle sent", "hold"]
    assert play.asks[-1] == HoldPage("1", 120.0)


def test_what_a_courtesy_tells_of_the_quota_holds_the_page_and_not_its_own_message() -> None:
    play = Play(held(), {Step.TYPING_ON: outcome(Step.TYPING_ON, ACTED, HoldPage("1", 120.0))})
    assert play.plot[-2:] == ["settle sent", "hold"]


def test_a_failed_message_call_with_little_quota_left_holds_the_page_before_it_is_let_go() -> None:
    play = Play(held(typing=False), {Step.MESSAGE: outcome(Step.MESSAGE, LATER, HoldPage("1", 120.0))})
    assert play.plot == ["begin", "message", "hold", "retry"]


def test_of_all_that_the_headers_of_an_attempt_ask_for_the_strongest_is_told_for_each_scope() -> None:
    seen = outcome(Step.TYPING_ON, ACTED, SlowPage("1", 0.5), HoldPage("1", 60.0, "app"))
    sent = outcome(Step.MESSAGE, SENT, SlowPage("1", 0.8), SlowPage("1", 0.5, "app"))
    play = Play(held(), {Step.TYPING_ON: seen, Step.MESSAGE: sent})
    assert play.asks[-2:] == [SlowPage("1", 0.5), HoldPage("1", 60.0, "app")]


# ---- ends


def test_a_settled_job_says_in_which_state_it_ended() -> None:
    assert Play(held(), {Step.MESSAGE: Refused(ERROR, "message")}).end == State.FAILED
    assert Play(held(), {Step.MESSAGE: LATER}).end == "retry"
    assert Play(held(), {Step.MESSAGE: Unknown(ERROR)}).end == "unsure"


@pytest.mark.parametrize(
    ("untagged_only", "tag", "plot"),
    [
        (False, None, ["settle failed"]),
        (False, "HUMAN_AGENT", ["settle failed"]),
        (True, None, ["settle failed"]),
        (True, "HUMAN_AGENT", ["begin", "message", "settle sent"]),
    ],
)
def test_a_person_who_refused_before_gets_no_call_but_with_a_tag_where_only_the_window_is_closed(
    *, untagged_only: bool, tag: str | None, plot: list[str]
) -> None:
    refusal = Refusal(GraphError("no", 10, 2018278), untagged_only)
    play = Play(held(refusal=refusal, tag=tag, typing=False))
    assert play.plot == plot
    if plot == ["settle failed"]:
        error = play.done("settle").error
        assert error is not None
        assert (error.code, error.subcode) == (10, 2018278)
        assert "was refused (10/2018278), and the person has not written since: no" in error.message


def test_a_refusal_of_the_person_is_left_for_later_jobs() -> None:
    error = GraphError("gone", 551)
    play = Play(held(typing=False), {Step.MESSAGE: Refused(error, "recipient")})
    assert play.done("settle").refusal == Refusal(error)
    play = Play(held(typing=False), {Step.MESSAGE: Refused(error, "message")})
    assert play.done("settle").refusal is None


@pytest.mark.parametrize("step", [7200.0, -7200.0])
def test_a_job_expires_by_the_clock_of_redis_whatever_this_host_says(step: float) -> None:
    young = held(expires=START + 3600, claimed_at=START)
    assert Play(young, {Step.MESSAGE: LOST}, start=START + step).done("retry").seconds > 0
    old = held(expires=START + 0.001, claimed_at=START)
    assert Play(old, {Step.MESSAGE: LATER}, start=START + step).plot[-1] == "settle expired"


def test_a_window_that_closed_while_the_job_waited_fails_it_without_a_call() -> None:
    play = Play(held(), begin=No("window"))
    assert play.plot == ["typing_on", "begin", "typing_off", "settle failed"]
    assert "window has closed" in play.done("settle").error.message  # type: ignore[union-attr]  # there is one


@pytest.mark.parametrize("typing", [True, 3.0, "auto"])
def test_without_room_in_the_call_budget_the_message_goes_alone(typing: Any) -> None:
    play = Play(held(lean=True, typing=typing, mark_seen=True))
    assert play.plot == ["begin", "message", "settle sent"]


def test_a_message_that_was_held_up_takes_another_slot() -> None:
    late = Outcome(TryLater(GraphError("its right has run out"), answered=False), None)
    begun: list[Begin] = []

    def begin(ask: Begin) -> Go:
        begun.append(ask)
        return Go(0.0, START + 0.25)  # typing_on takes half a second: the claim was at START

    calls = iter([late, outcome(Step.MESSAGE, SENT)])
    play = Play(held(typing=False), {Step.MESSAGE: lambda: next(calls)}, begin=begin)
    assert play.plot == ["begin", "message", "begin", "message", "settle sent"]
    assert [ask.late for ask in begun] == [False, True]
    limits = [ask.by for ask in play.asks if isinstance(ask, Call)]
    assert limits[0] is not None
    assert limits[1] is None, "once"


def test_a_message_without_a_right_in_time_for_its_slot_is_tried_later_as_ever() -> None:
    no_right = Outcome(TryLater(GraphError("its right has run out"), answered=False), None)
    play = Play(held(typing=False), {Step.MESSAGE: no_right}, begin=Go(0.0, START + 100))
    assert play.plot == ["begin", "message", "retry"]
