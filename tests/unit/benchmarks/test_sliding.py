"""The most in any sliding second."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.sliding import most_in_a_second


def test_a_second_begins_anywhere_and_its_end_is_not_in_it() -> None:
    assert most_in_a_second([]) == 0
    assert most_in_a_second([0.0, 0.9, 1.0, 1.8]) == 3
    assert most_in_a_second([0.0, 1.0, 2.0]) == 1


@given(st.lists(st.integers(0, 40), max_size=30))
def test_it_finds_what_counting_from_each_moment_finds(quarters: list[int]) -> None:
    times = [quarter / 4 for quarter in quarters]
    counted = max((sum(1 for other in times if at <= other < at + 1) for at in times), default=0)
    assert most_in_a_second(times) == counted
