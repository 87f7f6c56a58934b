"""What is said of pages, and of what Meta says of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from envoi.doctor import meta
from envoi.doctor import pages as checks
from envoi.doctor.finding import Finding
from envoi.doctor.meta import MetaFacts
from envoi.doctor.pages import PagesFacts
from envoi.log.credentials import Credentials
from envoi.token_check import Finding as TokenFinding
from tests.unit.doctor.made import page, pages_facts, queued

Judge = Callable[[PagesFacts], Finding]
SINCE = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
DEAD: dict[str, Any] = {"paused_since": SINCE, "reason": "190: expired"}
OURS: dict[str, Any] = {"paused_since": SINCE, "pause_reason": "sale is over"}


@pytest.mark.parametrize("check", [checks.REACH, *checks.CHECKS], ids=lambda check: check.name)
def test_pages_that_are_well_get_no_advice(check: Any) -> None:
    found = check.of(pages_facts())
    assert (found.state, found.advice) == ("ok", "")


@pytest.mark.parametrize(
    ("judge", "changed", "state", "says"),
    [
        (checks.check_pages, {"pages": []}, "warn", "envoi pages add"),
        (checks.check_tokens, {"credentials": None}, "unknown", "secret-keys"),
        (checks.check_tokens, {"credentials": {}}, "bad", "of 1"),
        (checks.check_tokens, {"credentials": {"1": Credentials(SecretStr("a\nb"), 1)}}, "bad", "in a header"),
        (checks.check_tokens, {"resealed": set()}, "warn", "an older key"),
        (checks.check_pauses, {"queued": None}, "unknown", "redis"),
        (checks.check_pauses, {"queued": [queued(**DEAD)]}, "bad", "1 (190: expired, since 2026-11-25 09:30Z)"),
        (
            checks.check_pauses,
            {"pages": [page(**OURS)], "queued": [queued(paused_since=SINCE, reason="sale is over")]},
            "warn",
            "by an operator: 1 (sale is over",
        ),
        (checks.check_pauses, {"queued": [queued(held_until=SINCE)]}, "ok", "throttled: 1 until 09:30:00Z"),
        (checks.check_queue, {"queued": None}, "unknown", "redis"),
        (checks.check_queue, {"pages": [page(token_version=2)]}, "bad", "an older token version"),
        (checks.check_queue, {"pages": [page(app_id="7")]}, "bad", "another app"),
        (checks.check_queue, {"pages": [page(token_version=2)]}, "bad", "add it again"),
        (checks.check_queue, {"pages": [page(token_version=2)], "opened": False}, "bad", "`envoi recover`"),
        (checks.check_queue, {"pages": [page(**OURS)]}, "bad", "the queue lets it send"),
        (checks.check_secrets, {"settings": {"app_secret": ""}}, "warn", "no appsecret_proof"),
        (checks.check_secrets, {"settings": {"app_secret": ""}, "fed": ["1"]}, "bad", "webhooks come in for 1"),
        (
            checks.check_secrets,
            {"settings": {"app_secret": "", "verify_token": "hub"}},
            "bad",
            "ENVOI_VERIFY_TOKEN is set",
        ),
        (checks.check_secrets, {"settings": {"app_secret": ""}, "pages": [page(app_id="7")]}, "ok", "known"),
    ],
)
def test_what_is_wrong_with_pages_is_named(judge: Judge, changed: dict[str, Any], state: str, says: str) -> None:
    found = judge(pages_facts(**changed))
    assert found.state == state
    assert says in f"{found.text} {found.advice}"
    assert (found.advice == "") == (state == "ok")


def test_of_many_pages_a_few_are_named_and_the_rest_counted() -> None:
    many = [page(str(number)) for number in range(9)]
    found = checks.check_tokens(pages_facts(pages=many, credentials={}))
    assert found.text.endswith("of 0, 1, 2, 3, 4 and 4 more")


@pytest.mark.parametrize(
    ("told", "left", "state", "says"),
    [
        ({"1": []}, [], "ok", "1 tokens live"),
        ({"1": [TokenFinding("the token is not valid", fatal=True)]}, [], "bad", "1: the token is not valid"),
        ({"1": [TokenFinding("the token ends soon", fatal=False)]}, [], "warn", "1: the token ends soon"),
        ({"1": []}, ["2"], "unknown", "not asked about: 2"),
    ],
)
def test_what_meta_says_is_told(told: dict[str, list[TokenFinding]], left: list[str], state: str, says: str) -> None:
    found = meta.check_meta(MetaFacts(told, left))
    assert found.state == state
    assert says in found.text
