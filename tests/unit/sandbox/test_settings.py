"""Usage headers, latency, switches and the clock."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from sandbox.clock import Clock
from sandbox.latency import Latency, Uniform
from sandbox.switches import Switches
from sandbox.usage import Usage
from tests.unit.sandbox.calls import INSTAGRAM, MESSENGER


def test_usage_headers_are_shaped_as_meta_shapes_them() -> None:
    usage = TypeAdapter(Usage).validate_python(
        {
            "app": {"call_count": 28, "total_time": 25},
            "pages": {"1001": {"call_count": 95, "estimated_time_to_regain_access": 7}},
        }
    )
    headers = {name: json.loads(value) for name, value in usage.headers(MESSENGER)}
    assert headers == {
        b"x-app-usage": {"call_count": 28, "total_cputime": 1, "total_time": 25},
        b"x-business-use-case-usage": {
            "1001": [
                {
                    "type": "messenger",
                    "call_count": 95,
                    "total_cputime": 1,
                    "total_time": 1,
                    "estimated_time_to_regain_access": 7,
                }
            ]
        },
    }


def test_an_instagram_page_has_its_own_type_and_a_refused_token_has_no_page() -> None:
    headers = dict(Usage().headers(INSTAGRAM))
    assert json.loads(headers[b"x-business-use-case-usage"])["2002"][0]["type"] == "instagram"
    assert [name for name, _ in Usage().headers(None)] == [b"x-app-usage"]


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        (Usage, {"app": {"call_count": -1}}),
        (Usage, {"pages": {"1001": {"percent": 5}}}),
        (Latency, {"default": -1}),
        (Latency, {"default": float("inf")}),
        (Latency, {"steps": {"dance": 1}}),
        (Latency, {"default": {"low": 2, "high": 1}}),
        (Switches, {"statuses": {"2": 204}}),
        (Switches, {"statuses": {"two": 500}}),
        (Switches, {"tags": True}),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(shape: type, value: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(shape).validate_python(value)


def test_latency_is_that_of_the_step_or_the_default() -> None:
    latency = Latency(default=0.5, steps={"message": Uniform(1.0, 2.0)})
    draw = random.Random(1)  # noqa: S311  # not for secrets
    assert latency.seconds("typing_on", draw) == 0.5
    assert latency.seconds(None, draw) == 0.5
    drawn = [latency.seconds("message", draw) for _ in range(100)]
    assert all(1.0 <= seconds <= 2.0 for seconds in drawn)
    assert len(set(drawn)) > 50
    again = random.Random(1)  # noqa: S311  # not for secrets
    assert [latency.seconds("message", again) for _ in range(100)] == drawn


def test_the_clock_goes_forward_and_never_back() -> None:
    clock = Clock()
    before = clock.now()
    clock.advance(86_400)
    assert 86_400 <= clock.now() - before < 86_500
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)
