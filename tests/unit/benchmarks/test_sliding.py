"""The most in any sliding second."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.sliding import most_at_once, most_in_a_second


def test_a_second_begins_anywhere_and_its_end_is_not_in_it() -> None:
    assert most_in_a_second([]) == 0
    assert most_in_a_second([0.0, 0.9, 1.0, 1.8]) == 3
    assert most_in_a_second([0.0, 1.0, 2.0]) == 1


@given(st.lists(st.integers(0, 40), max_size=30))
def test_it_finds_what_counting_from_each_moment_finds(quarters: list[int]) -> None:
    times = [quarter / 4 for quarter in quarters]
    counted = max((sum(1 for other in times if at <= other < at + 1) for at in times), default=0)
    assert most_in_a_second(times) == counted


def test_a_span_ends_before_its_last_moment() -> None:
    assert most_at_once([]) == 0
    assert most_at_once([(0.0, 1.0), (1.0, 2.0)]) == 1
    assert most_at_once([(0.0, 5.0), (1.0, 2.0), (1.5, 3.0), (2.5, 3.0)]) == 3


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 10)), max_size=20))
def test_the_most_spans_at_once_are_met_where_one_begins(spans: list[tuple[int, int]]) -> None:
    found = [(float(first), float(first + length)) for first, length in spans]
    counted = max((sum(a <= at < b for a, b in found) for at, _ in found), default=0)
    assert most_at_once(found) == counted
