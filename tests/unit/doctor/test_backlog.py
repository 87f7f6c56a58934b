"""What is said of all that waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from envoi.doctor import backlog as checks
from envoi.doctor.finding import Finding
from envoi.doctor.queue_facts import QueueFacts
from envoi.doctor.streams import Backlog
from envoi.doctor.waiting import Waiting
from envoi.settings import Settings
from tests.unit.doctor.made import queue_facts

Judge = Callable[[QueueFacts], Finding]
SMALL = Settings(events_cap=100, webhooks_cap=100, receipts_cap=100)


def lanes(replies: float = 0.0, bulk: float = 0.0) -> dict[str, Waiting]:
    return {"replies": Waiting(1, replies, "11"), "bulk": Waiting(1, bulk, "22")}


@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda check: check.name)
def test_an_ordinary_backlog_gets_no_advice(check: Any) -> None:
    found = check.of(queue_facts())
    assert (found.state, found.advice) == ("ok", "")


@pytest.mark.parametrize(
    ("judge", "changed", "state", "says"),
    [
        (checks.check_door, {"door": "1"}, "bad", "nearly used up"),
        (checks.check_door, {"door": "evicts"}, "bad", "would drop"),
        (checks.check_waiting, {"lanes": lanes(replies=59)}, "ok", "replies 1, at most 59.0 s"),
        (checks.check_waiting, {"lanes": lanes(replies=61)}, "warn", "of page 11 for 61.0 s"),
        (checks.check_waiting, {"lanes": lanes(replies=3300)}, "bad", "expire at 60.0 min"),
        (checks.check_waiting, {"lanes": lanes(bulk=40_000)}, "ok", "at most 11.1 h"),
        (checks.check_waiting, {"lanes": lanes(bulk=50_000)}, "warn", "of page 22"),
        (checks.check_waiting, {"lanes": lanes(bulk=80_000, replies=61)}, "bad", "of page 22"),
        (checks.check_waiting, {"pages_seen": (500, 9000)}, "ok", "of 500 of 9000 pages"),
        (checks.check_log_lag, {"events": Backlog(10, 61)}, "warn", "the oldest for 61.0 s"),
        (checks.check_log_lag, {"events": Backlog(10, 7201)}, "bad", "2.0 h"),
        (checks.check_log_lag, {"events": Backlog(50, 1)}, "warn", "50 events"),
        (checks.check_log_lag, {"events": Backlog(90, 1)}, "bad", "at 100 enqueueing is refused"),
        (checks.check_aside, {"aside": 2}, "warn", "{envoi}:ev:bad"),
        (checks.check_outcomes, {"tasks": Backlog(5, 90)}, "warn", "published as Celery tasks"),
        (checks.check_outcomes, {"streams": {"shop": Backlog(95, 1)}}, "bad", "the stream shop"),
        (checks.check_outcomes, {"streams": {"a": Backlog(1, 90), "b": Backlog(1, 7200)}}, "bad", "the stream b"),
        (checks.check_outcomes, {"all_streams": False}, "unknown", "too many keys"),
        (checks.check_webhooks, {"notices": 50}, "warn", "ENVOI_WEBHOOKS_CAP"),
        (checks.check_webhooks, {"receipts": 90}, "bad", "ENVOI_RECEIPTS_CAP"),
    ],
)
def test_what_nobody_takes_is_named(judge: Judge, changed: dict[str, Any], state: str, says: str) -> None:
    found = judge(queue_facts(settings=SMALL, **changed))
    assert found.state == state
    assert says in f"{found.text} {found.advice}"
    assert (found.advice == "") == (state == "ok")
