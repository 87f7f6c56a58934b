"""Jain's index."""

from __future__ import annotations

import pytest

from benchmarks.fairness import jain


def test_all_alike_is_one_and_one_with_all_is_one_of_n() -> None:
    assert jain([5, 5, 5, 5]) == 1.0
    assert jain([9, 0, 0]) == pytest.approx(1 / 3)
    assert jain([]) == 1.0
    assert jain([0, 0]) == 1.0
    assert jain([1, 2, 3]) == pytest.approx(36 / 42)
