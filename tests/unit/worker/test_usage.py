"""The usage headers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from worker.usage import Quota, Usage, usage_of


def business(**figures: Any) -> dict[str, str]:
    return {"x-business-use-case-usage": json.dumps({"1": [{"type": "messenger", **figures}]})}


def test_the_highest_figure_of_each_scope_counts() -> None:
    headers = {
        "x-app-usage": '{"call_count":28,"total_time":25,"total_cputime":31}',
        "x-page-usage": '{"call_count":40}',
        **business(call_count=12, total_cputime=35, total_time=1, estimated_time_to_regain_access=0),
    }
    assert usage_of(headers) == Usage(app=Quota(31.0), page=Quota(40.0))
    assert usage_of(business(call_count=12, total_cputime=77)) == Usage(page=Quota(77.0))
    assert usage_of({}) == Usage()


def test_the_field_names_of_the_instagram_host_count_too() -> None:
    assert usage_of({"x-app-usage": '{"call_volume":96,"cpu_time":0}'}).app.percent == 96.0


def test_the_time_to_regain_access_is_given_in_minutes_and_is_no_percentage() -> None:
    found = usage_of(business(call_count=10, estimated_time_to_regain_access=200))
    assert found == Usage(page=Quota(10.0, 12_000.0))


def test_other_kinds_of_business_use_do_not_stop_messages() -> None:
    headers = {"x-business-use-case-usage": '{"1":[{"type":"ads_management","call_count":100}]}'}
    assert usage_of(headers) == Usage()


@pytest.mark.parametrize(
    ("quota", "seconds"),
    [
        (Quota(94.9), 0.0),
        (Quota(95.0), 60.0),
        (Quota(100.0, 300.0), 300.0),
        (Quota(10.0, 300.0), 300.0),
        (Quota(100.0, 10.0**9), 86400.0),
    ],
)
def test_calls_stop_at_95_percent_or_while_access_is_lost(quota: Quota, seconds: float) -> None:
    assert quota.hold(60.0) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "5",
        "[]",
        '{"1":5}',
        '{"1":[5]}',
        '{"1":{"type":"messenger"}}',
        '{"a":NaN,"b":Infinity,"c":true}',
    ],
)
@pytest.mark.parametrize("name", ["x-app-usage", "x-page-usage", "x-business-use-case-usage"])
def test_a_malformed_header_counts_as_nothing_used_or_as_what_can_be_read(name: str, text: str) -> None:
    found = usage_of({name: text})
    assert (found.app.hold(60.0), found.page.hold(60.0)) == (0.0, 0.0)


def test_an_absurd_number_is_bounded() -> None:
    assert usage_of({"x-app-usage": '{"call_count":' + "9" * 400 + "}"}).app.percent == 1e9
    assert usage_of(business(estimated_time_to_regain_access=10**300)).page.hold(60.0) == 86400.0
