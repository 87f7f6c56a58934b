"""What is said of jobs that nobody answered for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from envoi.doctor.doubts import NO_DOUBTS, Doubts, settling, unknown_jobs
from envoi.settings import Settings


@pytest.mark.parametrize(
    ("number", "age", "state", "says"),
    [
        (3, timedelta(minutes=5), "ok", "3 jobs settle, the oldest of 5.0 min ago"),
        (200, timedelta(minutes=5), "warn", "200 jobs settle"),
        (1000, timedelta(minutes=5), "warn", "1000 or more jobs settle"),
        (1, timedelta(days=3), "bad", "longer than anything may"),
    ],
)
def test_many_jobs_that_settle_are_told_and_old_ones_are_bad(
    number: int, age: timedelta, state: str, says: str
) -> None:
    found = settling(Doubts(number, datetime.now(UTC) - age, 0), Settings())
    assert found.state == state
    assert says in found.text
    assert (found.advice == "") == (state == "ok")


def test_jobs_that_ended_unknown_are_told() -> None:
    found = unknown_jobs(Doubts(0, None, 2))
    assert (found.state, found.text.split(":")[0]) == ("warn", "2 jobs ended unknown within a day")
    assert "envoi jobs --state unknown" in found.advice


def test_without_doubts_all_is_well() -> None:
    assert [settling(NO_DOUBTS, Settings()).state, unknown_jobs(NO_DOUBTS).state] == ["ok", "ok"]
