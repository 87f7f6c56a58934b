"""When the engine claims next, and when whoever answers a bell is free."""

from __future__ import annotations

import math
import time

import pytest

from envoi.queue.claim import Catch
from envoi.settings import Settings
from tests.unit.worker.attempt import held
from worker.appetite import UNRUNG, Appetite

RULES = Settings(lease=10.0, loss_bound=2.0)
NOTHING = Catch([], None)
START = 1000.0


class Clock:
    """Monotonic seconds that move when told."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(time, "monotonic", made)
    return made


@pytest.fixture
def appetite(clock: Clock) -> Appetite:
    """One that is registered for long enough to claim."""
    made = Appetite(RULES)
    made.registered()
    clock.now += RULES.loss_bound
    return made


def claims(appetite: Appetite) -> bool:
    return time.monotonic() >= appetite.next_claim


def ring(appetite: Appetite) -> None:
    """As the engine takes a bell."""
    appetite.ring()
    appetite.soon()


def test_without_a_bell_it_is_asked_only_now_and_then(appetite: Appetite, clock: Clock) -> None:
    appetite.soon()
    found = []
    for _ in range(3):
        clock.now = appetite.next_claim
        found.append(clock.now - START)
        appetite.known(clock.now)
        appetite.asking()
        appetite.fed(NOTHING, full=False, busy=False)
    assert found == [UNRUNG, 2 * UNRUNG, 3 * UNRUNG]
    clock.now += RULES.lease
    assert appetite.next_claim == math.inf, "the register may have dropped it"


def test_what_was_found_without_a_bell_is_worth_one(appetite: Appetite, clock: Clock) -> None:
    clock.now = appetite.next_claim
    appetite.asking()
    appetite.fed(Catch([held()], None), full=True, busy=True)
    assert claims(appetite)
    assert not appetite.wait_idle(0)
    appetite.asking()
    appetite.fed(NOTHING, full=False, busy=False)
    appetite.rest(busy=False)
    assert not claims(appetite)
    assert appetite.wait_idle(0)


def test_a_bell_is_answered_by_a_claim_that_finds_nothing(appetite: Appetite) -> None:
    ring(appetite)
    assert claims(appetite)
    appetite.asking()
    appetite.fed(NOTHING, full=False, busy=False)
    appetite.rest(busy=False)
    assert not appetite.awake
    assert appetite.wait_idle(0)


@pytest.mark.parametrize("answer", [NOTHING, Catch([], 60.0), Catch([], None, gate_closed=True)])
def test_a_bell_that_rings_while_a_claim_is_on_its_way_is_not_lost(appetite: Appetite, answer: Catch) -> None:
    ring(appetite)
    appetite.asking()
    appetite.ring()
    appetite.fed(answer, full=False, busy=False)
    appetite.soon()  # the engine finds the bell in its inbox
    appetite.rest(busy=False)
    assert claims(appetite)
    assert not appetite.wait_idle(0)


def test_a_shut_gate_answers_every_bell_so_that_nobody_asks_again_and_again(appetite: Appetite) -> None:
    ring(appetite)
    appetite.asking()
    appetite.fed(Catch([], None, gate_closed=True), full=False, busy=True)
    assert not appetite.awake


def test_a_claim_that_brought_all_it_asked_for_is_followed_by_another(appetite: Appetite) -> None:
    ring(appetite)
    appetite.asking()
    appetite.fed(NOTHING, full=True, busy=True)
    assert claims(appetite)


@pytest.mark.parametrize(("next_in", "wait"), [(None, 0.05), (0.0, 0.001), (0.005, 0.005), (0.9, 0.05), (60.0, 0.05)])
def test_while_something_is_in_flight_it_asks_again_shortly_and_never_at_once(
    appetite: Appetite, clock: Clock, next_in: float | None, wait: float
) -> None:
    ring(appetite)
    appetite.asking()
    appetite.fed(Catch([], next_in), full=False, busy=True)
    assert appetite.next_claim == pytest.approx(clock.now + wait)
    appetite.rest(busy=True)
    assert not appetite.wait_idle(0)


def test_a_page_whose_pace_lets_it_go_on_soon_keeps_it_awake_and_another_does_not(appetite: Appetite) -> None:
    ring(appetite)
    appetite.asking()
    appetite.fed(Catch([], 0.9), full=False, busy=False)
    assert appetite.awake
    appetite.asking()
    appetite.fed(Catch([], 1.0), full=False, busy=False)
    assert not appetite.awake


def test_nothing_is_claimed_before_the_registration_can_no_longer_be_lost(clock: Clock) -> None:
    appetite = Appetite(RULES)
    ring(appetite)
    assert appetite.next_claim == math.inf
    appetite.registered()
    assert appetite.next_claim == START + RULES.loss_bound
    clock.now += RULES.loss_bound
    assert claims(appetite)


def test_nothing_is_claimed_once_the_register_has_not_heard_of_us_for_a_lease(appetite: Appetite, clock: Clock) -> None:
    ring(appetite)
    clock.now = START + RULES.lease - 1
    assert claims(appetite)
    clock.now = START + RULES.lease
    assert appetite.next_claim == math.inf
    appetite.known(clock.now - 1)
    assert claims(appetite)


def test_at_the_end_everyone_who_waits_is_let_go_and_later_bells_keep_nobody_waiting(appetite: Appetite) -> None:
    ring(appetite)
    assert not appetite.wait_idle(0)
    appetite.end()
    ring(appetite)
    assert appetite.wait_idle(0)
