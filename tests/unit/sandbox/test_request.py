from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from sandbox.request import Parameters, Target, read_parameters

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def read(query: str = "", content_type: str = "", body: bytes = b"", authorization: str = "") -> Parameters:
    return read_parameters(query.encode(), content_type, authorization, body)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v25.0/1001/messages", Target("v25.0", "1001", "messages")),
        ("/me/messages", Target(None, "me", "messages")),
        ("/v25.0/me/messages/", Target("v25.0", "me", "messages")),
        ("/1001", Target(None, "1001", None)),
        ("/v25.0", Target("v25.0", "", None)),
        ("/", Target(None, "", None)),
        ("/v25/1001/messages", Target(None, "v25", "1001/messages")),
        ("/me/messages/more", Target(None, "me", "messages/more")),
    ],
)
def test_a_path_names_version_node_and_edge(path: str, expected: Target) -> None:
    assert Target.of(path) == expected


def test_json_form_and_query_say_the_same() -> None:
    values = {"recipient": {"id": "7001"}, "message": {"text": "a & b = é"}, "tag": "HUMAN_AGENT"}
    as_text = {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}
    form = urlencode(as_text)
    for read_one in (
        read(content_type=JSON, body=json.dumps(values).encode()),
        read(content_type=f"{FORM}; charset=utf-8", body=form.encode()),
        read(query=form),
        read(body=form.encode()),
    ):
        assert read_one.malformed is None
        assert read_one.values == values


def test_the_body_goes_before_the_query() -> None:
    found = read(query="tag=A&persona_id=1", content_type=JSON, body=b'{"tag":"B"}')
    assert found.values == {"tag": "B", "persona_id": "1"}


@pytest.mark.parametrize(
    "found",
    [
        read(query="access_token=T"),
        read(content_type=FORM, body=b"access_token=T"),
        read(content_type=JSON, body=b'{"access_token":"T"}'),
        read(authorization="Bearer T"),
        read(authorization="bearer  T "),
    ],
    ids=["query", "form", "json", "header", "lower case"],
)
def test_the_token_is_taken_from_four_places_and_is_no_parameter(found: Parameters) -> None:
    assert found.token == "T"
    assert dict(found.values) == {}


def test_a_token_in_the_body_goes_before_the_header() -> None:
    assert read(content_type=JSON, body=b'{"access_token":"B"}', authorization="Bearer H").token == "B"


@pytest.mark.parametrize("authorization", ["", "Basic T", "T"])
def test_without_a_bearer_there_is_no_token(authorization: str) -> None:
    assert not read(authorization=authorization).token


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (JSON, b"{"),
        (JSON, b"[1]"),
        (JSON, b'{"recipient":{"id":NaN}}'),
        (JSON, b'{"recipient":{"id":1e999}}'),
        (JSON, b"[" * 100_000),
        (JSON, b'"\xff"'),
        (FORM, b"a=%FF"),
        (FORM, b"&".join(b"a%d=1" % n for n in range(1001))),
        ("text/xml", b"<a/>"),
        ("multipart/form-data", b"--x--\r\n"),
    ],
)
def test_what_cannot_be_read_is_malformed_with_code_100_and_keeps_the_token(content_type: str, body: bytes) -> None:
    found = read(query="access_token=T", content_type=content_type, body=body)
    assert found.malformed is not None
    assert found.malformed.error.code == 100
    assert found.token == "T"


def test_an_empty_body_of_any_type_says_nothing() -> None:
    assert read(query="tag=A", content_type=JSON).malformed is None
    assert read(query="tag=A", content_type="image/png").values == {"tag": "A"}


def test_single_quotes_of_the_reference_are_read_as_json() -> None:
    found = read(
        query=urlencode({"recipient": "{'id':'7001'}", "message": r"{'text':'it\'s \"so\"'}".replace('\\"', '"')})
    )
    assert found.values == {"recipient": {"id": "7001"}, "message": {"text": 'it\'s "so"'}}


def test_text_that_holds_no_object_stays_text() -> None:
    assert read(query=urlencode({"recipient": "{id:7001"})).values == {"recipient": "{id:7001"}


def test_a_plain_parameter_that_looks_like_json_stays_text() -> None:
    assert read(query=urlencode({"tag": '{"a":1}'})).values == {"tag": '{"a":1}'}
