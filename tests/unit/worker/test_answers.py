"""From an HTTP answer to a verdict."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envoi.events import GraphError
from worker.answers import Answer, judge, verdict_name
from worker.codes import TABLE
from worker.usage import Usage
from worker.verdicts import Accepted, Refused, Throttled, TryLater, Unknown, Verdict

WAIT = 60.0


def verdict(status: int, body: Any, step: str = "message", **headers: str) -> Verdict:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return judge(Answer(status, data, named), step, WAIT).verdict


def error(code: object, subcode: object = None, **more: object) -> dict[str, Any]:
    given = {"message": "text", "code": code, **more}
    return {"error": given if subcode is None else {**given, "error_subcode": subcode}}


def test_a_message_call_is_accepted_with_a_message_id_and_its_recipient_id_if_there_is_one() -> None:
    assert verdict(200, {"recipient_id": "7", "message_id": "m_1"}) == Accepted("m_1", "7")
    assert verdict(200, {"message_id": "m_1"}) == Accepted("m_1", None)
    assert verdict(201, {"message_id": "m_1"}) == Accepted("m_1", None)


def test_an_action_is_accepted_without_a_message_id() -> None:
    assert verdict(200, {"recipient_id": "7"}, "typing_on") == Accepted(None, "7")


@pytest.mark.parametrize(
    "body",
    [{}, {"recipient_id": "7"}, {"message_id": ""}, {"message_id": 5}, {"message_id": None}, [], "m_1", b"<html>"],
)
def test_a_2xx_without_a_message_id_is_unknown_for_a_message(body: object) -> None:
    assert isinstance(verdict(200, body), Unknown)


@pytest.mark.parametrize("status", [302, 400, 403, 404, 413, 429, 500, 502, 503])
@pytest.mark.parametrize("body", [b"", b"<html>Bad Gateway</html>", {"error": "text"}, {"message_id": "m_1"}])
def test_another_status_without_a_graph_error_body_is_unknown(status: int, body: object) -> None:
    assert isinstance(verdict(status, body), Unknown)


@pytest.mark.parametrize("status", [200, 400, 403, 500])
def test_the_code_decides_whatever_the_status(status: int) -> None:
    assert verdict(status, error(2)) == TryLater(GraphError("text", 2), answered=True)
    assert verdict(status, error(190, 460)) == Refused(GraphError("text", 190, 460), "page")
    assert verdict(status, error(100, 2018001)) == Refused(GraphError("text", 100, 2018001), "recipient")
    assert verdict(status, error(100)) == Refused(GraphError("text", 100), "message")
    assert verdict(status, error(80006)) == Throttled(GraphError("text", 80006), "page", WAIT)
    assert verdict(status, error(4)) == Throttled(GraphError("text", 4), "app", WAIT)
    assert verdict(status, error(1, 1357046)) == Unknown(GraphError("text", 1, 1357046))


def test_a_failed_media_fetch_is_surely_not_sent_and_tried_a_few_times() -> None:
    assert verdict(400, error(100, 2018008)) == TryLater(GraphError("text", 100, 2018008), answered=False, tries=3)


def test_a_code_without_a_row_is_unknown_if_transient_throttled_if_429_else_refused() -> None:
    assert isinstance(verdict(500, error(7777)), Unknown)
    assert isinstance(verdict(400, error(7777, is_transient=True)), Unknown)
    assert verdict(429, error(7777)) == Throttled(GraphError("text", 7777), "page", WAIT)
    assert verdict(400, error(7777)) == Refused(GraphError("text", 7777), "message")


@pytest.mark.parametrize("code", [None, "190", 1.5, True, [], 2**40])
def test_an_error_whose_code_is_no_whole_number_is_unknown(code: object) -> None:
    assert isinstance(verdict(400, error(code)), Unknown)


def test_an_answer_that_says_both_accepted_and_failed_is_unknown() -> None:
    assert isinstance(verdict(200, {"message_id": "m_1", **error(2)}), Unknown)


def test_a_throttle_lasts_as_long_as_the_header_says_in_minutes() -> None:
    usage = '{"1":[{"type":"messenger","call_count":100,"estimated_time_to_regain_access":7}]}'
    found = verdict(400, error(80006), x_business_use_case_usage=usage)
    assert found == Throttled(GraphError("text", 80006), "page", 420.0)


def test_a_warning_about_one_person_lasts_an_hour_where_no_header_says() -> None:
    assert verdict(400, error(613, 2018338)) == Throttled(GraphError("text", 613, 2018338), "recipient", 3600.0)


def test_an_accepted_call_tells_that_the_quota_is_nearly_used_up() -> None:
    headers = {"x-app-usage": '{"call_count":95}'}
    assert judge(Answer(200, b'{"message_id":"m"}', headers), "message", WAIT).usage.app.hold(WAIT) == WAIT
    assert judge(Answer(200, b'{"message_id":"m"}', {}), "message", WAIT).usage == Usage()


def test_the_trace_is_kept_and_texts_are_cut_and_storable() -> None:
    body = error(100, fbtrace_id="AbC", message="x\x00" + "y" * 5000 + "\ud800")
    found = judge(Answer(400, json.dumps(body).encode()), "message", WAIT)
    assert found.trace == "AbC"
    assert isinstance(found.verdict, Refused)
    assert found.verdict.error.message == "x" + "y" * 499


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
trees = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)
codes = st.sampled_from([row.code for row in TABLE]) | st.integers() | trees
subcodes = st.sampled_from([row.subcode for row in TABLE]) | trees
errors = st.fixed_dictionaries(
    {"code": codes, "error_subcode": subcodes, "message": trees, "fbtrace_id": trees, "is_transient": trees}
)
bodies = (
    st.binary()
    | st.builds(lambda tree: json.dumps(tree).encode(), trees)
    | st.builds(
        lambda found, rest: json.dumps({**rest, "error": found}).encode(), errors, st.dictionaries(st.text(), scalars)
    )
)
headers = st.dictionaries(
    st.sampled_from(["x-app-usage", "x-page-usage", "x-business-use-case-usage"]),
    st.text() | st.builds(json.dumps, trees),
)


@given(st.integers(100, 599), bodies, headers)
def test_no_answer_makes_it_raise_or_accepts_a_message_without_an_id(
    status: int, body: bytes, headers: dict[str, str]
) -> None:
    found = judge(Answer(status, body, headers), "message", WAIT)
    assert verdict_name(found.verdict) == type(found.verdict).__name__
    assert 0 <= found.usage.app.hold(WAIT) <= 86400
    assert 0 <= found.usage.page.hold(WAIT) <= 86400
    if isinstance(found.verdict, Accepted):
        assert status // 100 == 2
        assert found.verdict.message_id
        assert json.loads(body)["message_id"]


def test_deeply_nested_json_is_unknown() -> None:
    assert isinstance(verdict(200, b"[" * 100_000), Unknown)
