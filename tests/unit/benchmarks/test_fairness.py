"""Jain's index, and who kept to his pace."""

from __future__ import annotations

import pytest

from benchmarks.fairness import jain, over_pace
from benchmarks.town import Arrival


def test_all_alike_is_one_and_one_with_all_is_one_of_n() -> None:
    assert jain([5, 5, 5, 5]) == 1.0
    assert jain([9, 0, 0]) == pytest.approx(1 / 3)
    assert jain([]) == 1.0
    assert jain([0, 0]) == 1.0
    assert jain([1, 2, 3]) == pytest.approx(36 / 42)


def test_a_page_is_over_its_pace_by_one_message_too_many_in_any_second() -> None:
    came = [
        Arrival(at, page, "x") for page, times in {"1": [0.0, 0.5, 1.0], "2": [0.0, 0.5, 0.9]}.items() for at in times
    ]
    assert over_pace(came, 2.0) == 1
    assert over_pace(came, 3.0) == 0


def test_below_one_a_second_it_is_over_by_two_too_close_to_each_other() -> None:
    came = [Arrival(at, page, "x") for page, times in {"1": [0.0, 2.0], "2": [0.0, 1.9]}.items() for at in times]
    assert over_pace(came, 0.5) == 1
