"""The schedule of retries."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.backoff import Backoff


def test_the_ceiling_doubles_from_the_first_wait_up_to_the_cap() -> None:
    backoff = Backoff(first=5.0, cap=600.0)
    assert [backoff.ceiling(attempt) for attempt in range(1, 10)] == [5, 10, 20, 40, 80, 160, 320, 600, 600]


def test_no_number_of_attempts_overflows() -> None:
    assert Backoff(first=5.0, cap=600.0).ceiling(100_000) == 600.0


@given(st.integers(1, 100), st.floats(0.01, 100), st.floats(0.01, 1000), st.floats(0, 100), st.randoms())
def test_a_wait_lies_between_the_least_and_the_ceiling(
    attempt: int, first: float, cap: float, least: float, draw: random.Random
) -> None:
    backoff = Backoff(first, cap)
    assert least <= backoff.wait(attempt, at_least=least, draw=draw) <= max(backoff.ceiling(attempt), 2 * least)


@pytest.mark.parametrize(("least", "low", "high"), [(0.0, 0.0, 5.0), (5.0, 5.0, 10.0)])
def test_waits_are_spread_over_the_whole_range(least: float, low: float, high: float) -> None:
    draw = random.Random(7)  # noqa: S311  # the same numbers in every run
    waits = [Backoff(5.0, 600.0).wait(1, at_least=least, draw=draw) for _ in range(1000)]
    span = high - low
    for tenth in range(10):
        found = [wait for wait in waits if low + span * tenth / 10 <= wait < low + span * (tenth + 1) / 10]
        assert 60 < len(found) < 140
