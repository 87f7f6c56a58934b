"""What is said of the gate, schedulers, workers and bells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from envoi.doctor import deliveries as checks
from envoi.doctor.finding import Finding
from envoi.doctor.queue_facts import QueueFacts
from envoi.doctor.waiting import Waiting
from envoi.queue.schedulers import Led, Sign
from tests.unit.doctor.made import DUTIES, queue_facts

Judge = Callable[[QueueFacts], Finding]
IDLE = {"replies": Waiting(), "bulk": Waiting()}


def scheduler(
    heard: float = 1.0, *, version: str = "1.0", troubles: Any = None, leads: Any = None, **duties: float | None
) -> Any:
    return heard, Sign(version, {**DUTIES, **duties}, troubles or {}, leads)


@pytest.mark.parametrize("check", [checks.REACH, *checks.CHECKS], ids=lambda check: check.name)
def test_a_queue_that_is_worked_on_gets_no_advice(check: Any) -> None:
    found = check.of(queue_facts())
    assert (found.state, found.advice) == ("ok", "")


@pytest.mark.parametrize(
    ("judge", "changed", "state", "says"),
    [
        (checks.check_gate, {"epoch": None}, "bad", "envoi recover"),
        (checks.check_gate, {"epoch": None, "recovering": True}, "bad", "is being recovered"),
        (checks.check_gate, {"epoch": "run0"}, "bad", "waiting for w1"),
        (checks.check_gate, {"epoch": "run0", "back": {"w1"}}, "bad", "not open yet: nothing"),
        (checks.check_gate, {"missing": ["claim"]}, "bad", "of this version are not loaded: claim"),
        (checks.check_schedulers, {"schedulers": {}}, "bad", "no scheduler has given a sign of life: "),
        (checks.check_schedulers, {"schedulers": {"s1": scheduler(600.0)}}, "bad", "for 10.0 min"),
        (
            checks.check_schedulers,
            {"schedulers": {"s1": scheduler(), "s0": scheduler(600.0)}},
            "ok",
            "1 alive, of version",
        ),
        (checks.check_schedulers, {"schedulers": {"s1": scheduler(due=None)}}, "bad", "due of s1"),
        (checks.check_schedulers, {"schedulers": {"s1": scheduler(gate=40.0)}}, "bad", "gate of s1"),
        (
            checks.check_schedulers,
            {"schedulers": {"s1": scheduler(troubles={"log_writer": ["LogUnavailable"]})}},
            "warn",
            "log_writer: LogUnavailable",
        ),
        (
            checks.check_schedulers,
            {
                "schedulers": {
                    "s1": scheduler(15.0, leads={"feed": Led(0.1), "outcomes": Led(0.1, 0.0)}),
                    "s2": scheduler(leads={"log_writer": Led(29.0, 7.0), "outcomes": Led(0.2, 0.0)}),
                    "s3": scheduler(600.0, leads={"webhooks": Led(0.1, 0.0)}),
                }
            },
            "ok",
            "1.0; s1 leads feed; s2 leads log_writer (last done 30.0 s ago, 7.0 s behind), outcomes ",
        ),
        (
            checks.check_schedulers,
            {"schedulers": {"s1": scheduler(), "s2": scheduler(version="1.1")}},
            "warn",
            "1.0, 1.1",
        ),
        (checks.check_workers, {"workers": {}}, "bad", "1000 conversations wait"),
        (checks.check_workers, {"workers": {"w1": 45.0}}, "bad", "no worker is there"),
        (checks.check_workers, {"workers": {}, "lanes": IDLE}, "warn", "nothing waits"),
        (checks.check_bells, {"template": False}, "warn", "no bell to copy"),
        (checks.check_bells, {"bells": 8, "workers": {}}, "warn", "nobody is there to read them"),
        (checks.check_bells, {"bells": 8}, "ok", "8 unread"),
        (checks.check_bells, {"bells": 9}, "warn", "more than 8"),
        (checks.check_overdue, {"overdue": 4}, "bad", "no scheduler has moved them"),
        (checks.check_overdue, {"overdue": 4, "epoch": "run0"}, "unknown", "while the queue is shut"),
    ],
)
def test_what_stops_deliveries_is_named(judge: Judge, changed: dict[str, Any], state: str, says: str) -> None:
    found = judge(queue_facts(**changed))
    assert found.state == state
    assert says in f"{found.text} {found.advice}"
    assert (found.advice == "") == (state == "ok")
