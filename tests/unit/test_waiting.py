"""The tests' own waiting, by a clock that moves when told."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests import waiting
from tests.waiting import Stuck, wait_until, wait_until_equal


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Every pause that was made, which takes no time."""
    made: list[float] = []
    monkeypatch.setattr(waiting, "time", SimpleNamespace(monotonic=lambda: sum(made), sleep=made.append))
    return made


def test_the_first_true_answer_is_given(pauses: list[float]) -> None:
    answers = iter([None, "", "here"])
    assert wait_until(lambda: next(answers), "somebody") == "here"
    assert len(pauses) == 2


def test_what_did_not_come_is_told_with_the_last_answer(pauses: list[float]) -> None:
    with pytest.raises(Stuck, match=r"^waited 3 s in vain: a leader; the last answer was \[\]$"):
        wait_until(list, "a leader", 3)
    assert sum(pauses) == pytest.approx(3, abs=0.1)


def test_what_is_wanted_is_told_too(pauses: list[float]) -> None:
    answers = iter(range(10_000))
    wait_until_equal(lambda: next(answers), 7, "rows")
    assert len(pauses) == 7
    with pytest.raises(Stuck, match=r"waited 1 s in vain: rows == 'x'; the last answer was \d+"):
        wait_until_equal(lambda: next(answers), "x", "rows", 1)


def test_a_machine_that_stood_still_is_no_failure(pauses: list[float]) -> None:
    def look() -> bool:
        if pauses:
            return True
        pauses.append(100.0)  # so long took the question
        return False

    assert wait_until(look, "it", 3)


def test_what_goes_wrong_meanwhile_ends_the_wait(pauses: list[float]) -> None:
    def check() -> None:
        if len(pauses) == 2:
            raise ValueError("it has ended")

    with pytest.raises(ValueError, match="it has ended"):
        wait_until(lambda: None, "it", meanwhile=check)
    assert len(pauses) == 2
