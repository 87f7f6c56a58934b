"""What is said of a host."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from envoi.doctor import setup as checks
from envoi.doctor.finding import Finding
from envoi.doctor.packages import Package
from envoi.doctor.setup import SetupFacts
from envoi.queue.scripts import script
from tests.unit.doctor.made import KEY, setup_facts

Judge = Callable[[SetupFacts], Finding]
BROKER = setup_facts().broker
assert BROKER is not None


@pytest.mark.parametrize("check", [checks.REACH, *checks.CHECKS], ids=lambda check: check.name)
def test_a_host_that_is_well_set_up_gets_no_advice(check: Any) -> None:
    found = check.of(setup_facts())
    assert (found.state, found.advice) == ("ok", "")


@pytest.mark.parametrize(
    ("settings", "state", "says"),
    [
        ({"read_timeout": 130.0}, "warn", "ENVOI_READ_TIMEOUT (130) is more than ENVOI_GRAPH_LATEST (120)"),
        ({"media_timeout": 200.0}, "warn", "ENVOI_GRAPH_LATEST_MEDIA (180)"),
        ({"media_timeout": 298.0, "graph_latest_media": 300.0}, "bad", "300 s at most"),
        ({"lease": 10.0}, "warn", "ENVOI_LEASE (10) is not over 10"),
        ({"lease": 10.1}, "ok", "lease 10.1 s"),
        ({"settle_longest": 200.0}, "warn", "ends before the last look, which comes 240 s after"),
        ({"backoff_first": 700.0}, "warn", "ENVOI_BACKOFF_FIRST (700) is more than ENVOI_BACKOFF_CAP (600)"),
    ],
)
def test_times_that_depend_on_each_other_must_be_in_order(settings: dict[str, Any], state: str, says: str) -> None:
    found = checks.check_times(setup_facts(settings=settings))
    assert found.state == state
    assert says in found.text


def test_the_longest_call_is_that_of_the_scripts() -> None:
    found = re.search(r"^local LONGEST = (\d+)$", script("suspect").text, re.MULTILINE)
    assert found is not None
    assert float(found[1]) == checks.LONGEST_CALL


@pytest.mark.parametrize(
    ("keys", "state", "says"),
    [
        ("", "bad", "ENVOI_SECRET_KEYS is empty"),
        ("short", "bad", "key number 1 is not a Fernet key"),
        (f"{KEY},{KEY}", "warn", "the same key twice"),
    ],
)
def test_keys_must_be_there_and_well_formed_and_are_never_shown(keys: str, state: str, says: str) -> None:
    found = checks.check_keys(setup_facts(settings={"secret_keys": keys}))
    assert found.state == state
    assert says in found.text
    assert KEY not in str(found)


@pytest.mark.parametrize(
    ("version_set", "today", "state"),
    [
        ("v20.0", date(2026, 11, 26), "bad"),
        ("v19.0", date(2026, 11, 26), "bad"),
        ("v24.0", date(2028, 1, 1), "warn"),
        ("v99.0", date(2026, 11, 26), "warn"),
        ("v25.0", date(2026, 11, 26), "ok"),
    ],
)
def test_a_version_is_told_before_and_after_its_end(version_set: str, today: date, state: str) -> None:
    facts = setup_facts(settings={"graph_version": version_set}, today=today)
    assert checks.check_graph_version(facts).state == state


@pytest.mark.parametrize(
    ("judge", "changed", "state", "says"),
    [
        (checks.check_broker, {"broker": None}, "unknown", "no worker on this host"),
        (checks.check_broker, {"turned": ["CELERY_BROKER_URL"]}, "bad", "unset CELERY_BROKER_URL"),
        (checks.check_broker, {"broker": replace(BROKER, visibility_timeout=20)}, "warn", "ENVOI_DRAIN_TIME (30)"),
        (checks.check_broker, {"broker": replace(BROKER, drains=8)}, "warn", "30 connections to the broker"),
        (checks.check_broker, {"broker": replace(BROKER, socket_timeout=0)}, "warn", "no socket_timeout"),
        (
            checks.check_packages,
            {"packages": [Package("celery", "5.7", "5.4.0")]},
            "bad",
            "celery 5.4.0 (needs 5.7 or newer)",
        ),
        (
            checks.check_packages,
            {"packages": [Package("celery", "5.7", None)]},
            "warn",
            "not installed: celery",
        ),
    ],
)
def test_what_is_wrong_with_a_host_is_named(judge: Judge, changed: dict[str, Any], state: str, says: str) -> None:
    found = judge(setup_facts(**changed))
    assert found.state == state
    assert says in f"{found.text} {found.advice}"
