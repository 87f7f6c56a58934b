from __future__ import annotations

import pytest

from sandbox.errors import GraphError, delivered_all_the_same, invalid, known
from sandbox.known_errors import KNOWN


def test_a_body_has_the_fields_of_graph_and_no_empty_ones() -> None:
    assert known(190, 460).body("T") == {
        "error": {
            "message": "Error validating access token: The session has been invalidated because the user changed the"
            " password.",
            "type": "OAuthException",
            "code": 190,
            "error_subcode": 460,
            "fbtrace_id": "T",
        }
    }
    assert known(2).body("T")["error"] == {
        "message": "An unexpected error has occurred. Please retry your request later.",
        "type": "OAuthException",
        "is_transient": True,
        "code": 2,
        "fbtrace_id": "T",
    }


@pytest.mark.parametrize(
    ("code", "subcode", "status"),
    [
        (1, None, 500),
        (1, 1357046, 500),
        (2, None, 500),
        (1200, None, 500),
        (1200, 2018024, 500),
        (4, None, 403),
        (200, None, 403),
        (230, None, 403),
        (299, None, 403),
        (10, 2534022, 403),
        (10, 2018278, 400),
        (803, None, 404),
        (190, 460, 400),
        (613, None, 400),
        (987_654, None, 400),
    ],
)
def test_the_status_follows_the_table(code: int, subcode: int | None, status: int) -> None:
    assert known(code, subcode).status({}) == status


def test_a_switch_goes_before_the_table_and_an_order_before_the_switch() -> None:
    error = known(100, 2018001)
    assert error.status({"100": 500}) == 500
    assert error.status({"100": 500, "100/2018001": 404}) == 404
    assert GraphError(100, "x", 2018001, http_status=200).status({"100/2018001": 404}) == 200


def test_messages_start_with_their_code_but_for_those_captured_without() -> None:
    assert known(613).message.startswith("(#613) ")
    assert not known(190, 463).message.startswith("(#")
    assert known(100, 2018001, "as given").message == "as given"
    assert invalid("Param x").error.message == "(#100) Param x"


def test_an_unlisted_pair_is_answered_in_words_of_its_code() -> None:
    assert known(613, 42).message == f"(#613) {KNOWN[613, None]}"
    assert known(987_654).message.startswith("(#987654) ")


def test_only_the_documented_error_follows_a_delivery() -> None:
    assert delivered_all_the_same(1, 1357046)
    assert not [pair for pair in KNOWN if pair != (1, 1357046) and delivered_all_the_same(*pair)]
