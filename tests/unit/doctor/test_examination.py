"""No part that is down or stands still keeps the others from being looked at."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from envoi.doctor.examination import examine
from envoi.doctor.finding import RUNBOOK, Check, Finding, Topic, listed, ok, span, warn
from envoi.doctor.topics import malformed, topics
from envoi.errors import QueueUnavailable
from envoi.settings import Settings

ROOT = Path(__file__).parents[3]


def topic(read: Callable[[], Any], *, seconds: float = 30.0, built_on: str | None = None) -> Topic[Any]:
    checks: tuple[Check[Any], ...] = (Check("second", lambda facts: warn(f"saw {facts}", "act")),)
    return Topic("it", read, Check("first", lambda _: ok("there")), checks, "look", built_on, seconds)


def raising(error: Exception) -> Callable[[], Any]:
    def read() -> Any:
        raise error

    return read


def test_findings_come_in_order_with_their_names_and_where_to_read_on() -> None:
    assert examine([topic(lambda: "x")]) == [
        Finding("ok", "there", "", "first"),
        Finding("warn", "saw x", "act. More: docs/operations.md#second", "second"),
    ]


def test_a_part_that_is_down_is_bad_and_what_cannot_be_seen_there_is_unknown() -> None:
    first, second = examine([topic(raising(QueueUnavailable("Redis did not answer")))])
    assert (first.state, first.text, first.behind) == ("bad", "Redis did not answer", "")
    assert (second.state, second.behind) == ("unknown", "first")


def test_what_is_built_on_a_part_that_is_down_is_not_bad_itself() -> None:
    found = examine([topic(raising(QueueUnavailable("no")), built_on="redis")])
    assert [(one.state, one.behind) for one in found] == [("unknown", "redis")] * 2


def test_a_part_that_stands_still_is_left_behind_and_the_others_are_seen() -> None:
    ended = threading.Event()
    try:
        still, _, here, _ = examine([topic(ended.wait, seconds=0.05), topic(lambda: "x")])
    finally:
        ended.set()
    assert (still.state, still.text) == ("bad", "no answer within 0.05 s")
    assert here.state == "ok"


def test_a_fault_of_ours_is_told_without_its_text_which_may_hold_anything() -> None:
    found = examine([topic(raising(ValueError("postgresql://me:sesame@host")))])
    assert found[0].text == "an unforeseen ValueError"
    assert "sesame" not in str(found)


def test_what_is_not_installed_is_named_with_how_to_install_it() -> None:
    found = examine([topic(raising(ImportError("no", name="alembic.config")))])
    assert found[0].text == "alembic is not installed here: pip install 'envoi[worker]'"


@pytest.mark.parametrize(("seconds", "told"), [(0.04, "0.0 s"), (119, "119.0 s"), (120, "2.0 min"), (7200, "2.0 h")])
def test_times_are_told_in_a_fitting_unit(seconds: float, told: str) -> None:
    assert span(seconds) == told


def test_a_short_list_is_told_whole() -> None:
    assert listed(["a", "b"]) == "a, b"


def names() -> list[str]:
    every = topics(Settings(), None, ask_meta=True, try_alerts=True)
    return [check.name for one in every for check in (one.reach, *one.checks)]


def test_every_check_has_a_name_of_its_own_and_a_section_in_the_runbook() -> None:
    text = (ROOT / RUNBOOK).read_text().partition("## The runbook")[2].partition("\n## ")[0]
    sections = re.findall(r"^### (\S+)$", text, re.MULTILINE)
    assert sections == names()
    assert len(set(names())) == len(names())


def test_what_a_topic_is_built_on_is_a_check() -> None:
    every = topics(Settings(), None, ask_meta=True, try_alerts=True)
    assert {one.built_on for one in every if one.built_on} <= set(names())


def test_malformed_settings_are_a_finding() -> None:
    (found,) = malformed("ENVOI_LEASE: must be a number")
    assert (found.name, found.state, found.text) == ("settings", "bad", "ENVOI_LEASE: must be a number")
