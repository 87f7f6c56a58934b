"""What an attempt without acceptance comes to."""

from __future__ import annotations

from typing import Literal

import pytest

from envoi.events import GraphError
from envoi.queue.page_commands import HoldPage, PausePage
from envoi.queue.refusal import Refusal
from envoi.settings import Settings
from envoi.states import State
from tests.unit.worker.attempt import held
from worker.settlement import Settlement, settlement
from worker.verdicts import Refused, Throttled, TryLater, Unknown

ERROR = GraphError("text", 7, 8)
NOW = 1_000.0
RULES = Settings(max_attempts=4, backoff_first=5, backoff_cap=600, answered_wait=5)


def test_what_surely_was_not_sent_is_tried_again_within_the_ceiling() -> None:
    for attempt, ceiling in ((1, 5.0), (2, 10.0), (3, 20.0)):
        found = settlement(TryLater(ERROR, answered=False), held(attempt=attempt), NOW, RULES)
        assert (found.op, found.state, found.error, found.page) == ("retry", None, ERROR, None)
        assert 0 <= found.seconds <= ceiling


def test_an_answered_failure_waits_some_seconds_at_least() -> None:
    waits = [settlement(TryLater(ERROR, answered=True), held(), NOW, RULES).seconds for _ in range(100)]
    assert min(waits) >= 5.0
    assert max(waits) > min(waits)


@pytest.mark.parametrize(("attempt", "allowed"), [(4, None), (2, 2), (1, 1), (5, None)])
def test_the_last_attempt_fails(attempt: int, allowed: int | None) -> None:
    given = held(attempt=attempt, attempts_allowed=allowed)
    found = settlement(TryLater(ERROR, answered=False), given, NOW, RULES)
    assert found == Settlement("settle", ERROR, state=State.FAILED)


def test_an_error_with_its_own_limit_fails_earlier_and_never_later() -> None:
    few = TryLater(ERROR, answered=False, tries=3)
    assert settlement(few, held(attempt=2), NOW, RULES).op == "retry"
    assert settlement(few, held(attempt=3), NOW, RULES).state is State.FAILED
    assert settlement(few, held(attempt=1, attempts_allowed=1), NOW, RULES).state is State.FAILED


def test_a_retry_that_would_come_too_late_expires_at_once_and_says_why() -> None:
    found = settlement(TryLater(ERROR, answered=True), held(expires=NOW + 4.9), NOW, RULES)
    assert (found.op, found.state) == ("settle", State.EXPIRED)
    assert found.error == GraphError("expired while it was tried again: text", 7, 8)


@pytest.mark.parametrize("scope", ["app", "page"])
def test_a_throttle_holds_its_scope_and_gives_the_attempt_back(scope: Literal["app", "page"]) -> None:
    found = settlement(Throttled(ERROR, scope, 90.0), held(attempt=4), NOW, RULES)
    assert found == Settlement("back", ERROR, page=HoldPage("1", 90.0, scope))


def test_a_throttle_of_one_person_holds_only_the_conversation() -> None:
    verdict = Throttled(ERROR, "recipient", 90.0)
    assert settlement(verdict, held(), NOW, RULES) == Settlement("back", ERROR, seconds=90.0)


def test_a_refused_message_fails_the_job_and_nobody_else() -> None:
    found = settlement(Refused(ERROR, "message"), held(), NOW, RULES)
    assert found == Settlement("settle", ERROR, state=State.FAILED)


@pytest.mark.parametrize(
    ("code", "subcode", "untagged_only"),
    [(551, None, False), (100, 2018001, False), (10, 2018278, True), (10, 2534022, True), (10, 2018108, False)],
)
def test_a_refused_recipient_fails_the_job_and_refuses_later_ones(
    code: int, subcode: int | None, *, untagged_only: bool
) -> None:
    error = GraphError("text", code, subcode)
    found = settlement(Refused(error, "recipient"), held(), NOW, RULES)
    assert found == Settlement("settle", error, state=State.FAILED, refusal=Refusal(error, untagged_only))


def test_a_refused_page_pauses_under_the_version_of_the_token_that_was_used_and_the_job_waits() -> None:
    found = settlement(Refused(ERROR, "page"), held(token_version=3), NOW, RULES)
    assert found == Settlement("back", ERROR, page=PausePage("1", "7/8: text", 3))


def test_an_unknown_waits_for_facts_as_long_as_one_can_come() -> None:
    found = settlement(Unknown(ERROR), held(), NOW, Settings(graph_latest=120, graph_visible=30))
    assert found == Settlement("unsure", ERROR, seconds=150.0)
