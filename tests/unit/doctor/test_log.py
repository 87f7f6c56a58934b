"""What is said of the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from envoi.doctor import log as checks
from envoi.doctor.finding import Finding
from envoi.doctor.log import LogFacts
from envoi.log.milestones import Milestone
from tests.unit.doctor.made import log_facts

Judge = Callable[[LogFacts], Finding]


@pytest.mark.parametrize("check", [checks.REACH, *checks.CHECKS], ids=lambda check: check.name)
def test_a_log_that_is_well_gets_no_advice(check: Any) -> None:
    found = check.of(log_facts())
    assert (found.state, found.advice) == ("ok", "")


@pytest.mark.parametrize(
    ("judge", "changed", "state", "says"),
    [
        (checks.check_reachable, {"dialect": "sqlite", "version": (3, 40)}, "warn", "sqlite 3.40"),
        (checks.check_version, {"version": (13, 9)}, "warn", "upgrade to 14"),
        (checks.check_version, {"dialect": "sqlite", "version": (3, 40)}, "ok", "3.40"),
        (checks.check_clock, {"ahead": 5.0}, "warn", "5.00 s ahead of"),
        (checks.check_clock, {"ahead": -90.0}, "bad", "90.00 s behind"),
        (checks.check_schema, {"revision": None}, "bad", "no tables"),
        (checks.check_schema, {"revision": "0003"}, "bad", "this version needs 0005"),
        (checks.check_schema, {"revision": "0009", "known": False}, "bad", "of a newer one"),
        (checks.check_wiped, {"wiped": Milestone("run", 1_764_000_000.0)}, "bad", "envoi recover"),
    ],
)
def test_what_is_wrong_with_the_log_is_named(judge: Judge, changed: dict[str, Any], state: str, says: str) -> None:
    found = judge(log_facts(**changed))
    assert found.state == state
    assert says in f"{found.text} {found.advice}"
    assert (found.advice == "") == (state == "ok")
