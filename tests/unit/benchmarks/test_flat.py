"""Whether a cost stays the same."""

from __future__ import annotations

import pytest

from benchmarks.flat import is_flat, times_the_first


def test_what_slows_a_whole_round_falls_out() -> None:
    rounds = {1000: [1.0, 1.0, 3.0], 100_000: [1.1, 1.1, 3.3]}
    assert times_the_first(rounds) == pytest.approx({1000: 1.0, 100_000: 1.1})


def test_one_round_that_was_disturbed_changes_nothing() -> None:
    assert times_the_first({1: [2.0, 2.0, 2.0], 10: [2.0, 9.0, 2.0]})[10] == pytest.approx(1.0)


def test_flat_is_within_the_tolerance_and_less_is_no_fault() -> None:
    assert is_flat({1: [1.0], 10: [1.09], 100: [0.5]}, 0.1)
    assert not is_flat({1: [1.0], 10: [1.0], 100: [1.11]}, 0.1)


def test_rounds_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="no round"):
        times_the_first({})
    with pytest.raises(ValueError, match="no round"):
        times_the_first({1: []})
    with pytest.raises(ValueError, match="longer"):
        times_the_first({1: [1.0, 2.0], 10: [1.0]})
