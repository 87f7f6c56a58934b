"""The stub is asked seldom while much is left, and as often as ever near the end."""

from __future__ import annotations

import pytest

from benchmarks.run import until_asked_again


@pytest.mark.parametrize(
    ("left", "done", "passed", "pause"),
    [
        (5000, 0, 3.0, 0.05),  # nothing is known of the pace
        (5000, 1000, 1.0, 0.5),
        (600, 1000, 1.0, 0.3),
        (200, 1000, 1.0, 0.1),
        (100, 1000, 1.0, 0.05),
        (1, 1000, 1.0, 0.05),
    ],
)
def test_the_pause_is_half_of_what_is_left_between_its_bounds(
    left: int, done: int, passed: float, pause: float
) -> None:
    assert until_asked_again(left, done, passed) == pytest.approx(pause)
