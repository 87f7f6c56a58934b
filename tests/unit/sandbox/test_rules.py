from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from sandbox.call import Call
from sandbox.faults import ErrorAnswer
from sandbox.rules import Order, Rules
from tests.unit.sandbox.calls import action, call

ORDER: TypeAdapter[Order] = TypeAdapter(Order)
RESET: dict[str, Any] = {"kind": "reset"}


def order(**parts: Any) -> Order:
    return ORDER.validate_python({"fault": RESET} | parts)


def hits(rules: Rules, count: int, of: Call | None = None, *, deliverable: bool = True) -> list[int | None]:
    chosen = [rules.choose("1001", of or call(), deliverable=deliverable) for _ in range(count)]
    return [rule.number if rule else None for rule in chosen]


def test_every_and_times_choose_the_nth_calls_and_then_no_more() -> None:
    rules = Rules(0)
    rule = rules.add(order(every=3, times=2))
    assert hits(rules, 10) == [None, None, 1, None, None, 1, None, None, None, None]
    assert (rule.seen, rule.hits) == (10, 2)


@pytest.mark.parametrize(
    ("match", "of", "fits"),
    [
        ({}, call(), True),
        ({"page": "1001"}, call(), True),
        ({"page": "1002"}, call(), False),
        ({"recipient": "7001"}, call(), True),
        ({"recipient": "7002"}, call(), False),
        ({"recipient": "u"}, call(recipient={"user_ref": "u"}), True),
        ({"step": "message"}, call(), True),
        ({"step": "message"}, action("typing_on"), False),
        ({"step": "action"}, action("typing_off"), True),
        ({"step": "action"}, call(), False),
        ({"step": "typing_on"}, action("TYPING_ON"), True),
        ({"step": "typing_on"}, action("typing_off"), False),
        ({"step": "action"}, call(message=None), False),
    ],
)
def test_a_rule_looks_only_at_the_calls_it_matches(match: dict[str, str], of: Call, fits: bool) -> None:
    rules = Rules(0)
    rule = rules.add(order(match=match))
    assert hits(rules, 1, of) == [1 if fits else None]
    assert rule.seen == int(fits)


def test_the_first_rule_has_the_call_and_the_others_still_count_it() -> None:
    rules = Rules(0)
    rules.add(order(every=2))
    second = rules.add(order(every=3))
    assert hits(rules, 6) == [None, 1, 2, 1, None, 1]
    assert (second.seen, second.hits) == (6, 1)


def test_a_fault_that_delivers_first_passes_over_a_call_that_would_be_refused() -> None:
    rules = Rules(0)
    rule = rules.add(order(fault={"kind": "reset", "delivered": True}))
    assert hits(rules, 2, deliverable=False) == [None, None]
    assert rule.seen == 0
    assert hits(rules, 1) == [1]


def test_the_same_seed_hits_the_same_calls_whatever_other_rules_there_are() -> None:
    alone, accompanied, other_seed = Rules(7), Rules(7), Rules(8)
    for rules in (alone, accompanied, other_seed):
        rules.add(order(probability=0.3))
    accompanied.add(order(probability=0.5, match={"step": "action"}))
    first = hits(alone, 200)
    assert hits(accompanied, 200) == first
    assert hits(other_seed, 200) != first
    assert 30 < first.count(1) < 90


@given(every=st.integers(1, 5), times=st.none() | st.integers(1, 5), calls=st.integers(0, 40))
def test_hits_are_calls_by_every_up_to_times(every: int, times: int | None, calls: int) -> None:
    rules = Rules(0)
    rules.add(order(every=every, times=times))
    expected = calls // every if times is None else min(times, calls // every)
    assert hits(rules, calls).count(1) == expected


def test_a_removed_rule_hits_nothing_and_its_number_is_not_given_again() -> None:
    rules = Rules(0)
    rules.add(order())
    assert rules.remove(1)
    assert not rules.remove(1)
    assert hits(rules, 1) == [None]
    assert rules.add(order()).number == 2


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ({"fault": {"kind": "explode"}}, ("fault",)),
        ({"fault": {"kind": "slow"}}, ("fault", "slow", "seconds")),
        ({"fault": {"kind": "error"}}, ("fault", "error", "code")),
        ({"fault": {"kind": "error", "code": 2, "status": 204}}, ("fault", "error", "status")),
        ({"fault": {"kind": "error", "code": 2, "status": 99}}, ("fault", "error", "status")),
        ({"fault": {"kind": "hold", "seconds": -1}}, ("fault", "hold", "seconds")),
        ({"match": {"step": "dance"}}, ("match",)),
        ({"match": {"token": "T"}}, ("match", "token")),
        ({"every": 0}, ("every",)),
        ({"times": 0}, ("times",)),
        ({"probability": 1.5}, ("probability",)),
        ({"sometimes": 1}, ("sometimes",)),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_by_field(parts: dict[str, Any], field: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError) as refused:
        order(**parts)
    assert refused.value.errors()[0]["loc"] == field


def test_an_error_delivers_first_only_where_meta_says_so_or_it_is_ordered() -> None:
    assert ErrorAnswer(code=1, subcode=1357046).delivered is True
    assert ErrorAnswer(code=1).delivered is False
    assert ErrorAnswer(code=1, delivered=True).delivered is True
    assert ErrorAnswer(code=1, subcode=1357046, delivered=False).delivered is False


def test_an_ordered_error_is_the_usual_one_but_for_what_was_ordered() -> None:
    usual = ErrorAnswer(code=4).error()
    assert (usual.status({}), usual.is_transient) == (403, True)
    ordered = ErrorAnswer(code=4, status=200, message="so", is_transient=False).error()
    assert (ordered.status({}), ordered.message, ordered.is_transient) == (200, "so", False)
