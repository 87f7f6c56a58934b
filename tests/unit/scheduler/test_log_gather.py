"""When the log writer copies its next batch."""

from __future__ import annotations

import pytest

from scheduler.log_gather import LOOK, QUIET, Gathering

BATCH = 5000


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def looks(gathering: Gathering, clock: Clock, *waiting: int) -> list[bool]:
    """Whether it goes on gathering, where so many events wait at each look."""
    said = []
    for number in waiting:
        clock.now += QUIET * 1.0001  # no two sums of floats are alike
        said.append(gathering.go_on(number))
    return said


@pytest.mark.parametrize(("copied", "rest"), [(0, 0.0), (1, LOOK), (99, LOOK), (BATCH, 0.0)])
def test_after_a_small_batch_a_full_one_or_none_nothing_is_gathered(copied: int, rest: float) -> None:
    gathering = Gathering(BATCH)
    assert gathering.begin(copied) == rest
    assert not gathering.on


def test_under_load_events_come_together_for_half_a_second() -> None:
    clock = Clock()
    gathering = Gathering(BATCH, clock)
    assert gathering.begin(100) == LOOK
    assert gathering.on
    assert looks(gathering, clock, *range(100, 2200, 100)) == [True] * 19 + [False] * 2


def test_where_no_more_events_come_nothing_is_waited_for() -> None:
    clock = Clock()
    gathering = Gathering(BATCH, clock)
    gathering.begin(100)
    assert looks(gathering, clock, 50, 80, 80) == [True, True, False]
    gathering.begin(100)
    assert looks(gathering, clock, 0) == [False]


def test_a_full_batch_waits_no_longer() -> None:
    clock = Clock()
    gathering = Gathering(BATCH, clock)
    gathering.begin(4999)
    assert looks(gathering, clock, 4999, BATCH) == [True, False]


def test_each_batch_says_anew_whether_more_is_gathered() -> None:
    gathering = Gathering(BATCH, Clock())
    gathering.begin(100)
    gathering.begin(99)
    assert not gathering.on
