"""Several calls in one request (SEND_API 9)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.integration.sandbox.client import TOKEN, Client, Response, json_headers

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def form(person: str = "7001", **parameters: object) -> str:
    """The body of one call."""
    given: dict[str, object] = {"recipient": {"id": person}, "message": {"text": "hello"}} | parameters
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
    return urlencode({name: text for name, text in texts.items() if given[name] is not None})


def sent(form: str, url: str = "me/messages", **more: object) -> dict[str, object]:
    return {"method": "POST", "relative_url": url, "body": form, **more}


def batch(client: Client, *calls: object, token: str | None = TOKEN, path: str = "/v25.0/", **more: str) -> Response:
    """A batch as a form, as most SDKs send it."""
    given = {"batch": json.dumps(calls), **more} | ({"access_token": token} if token else {})
    return client.ask("POST", path, urlencode(given), FORM)


def bodies(response: Response) -> list[Any]:
    assert response.status == 200, response.body
    return [None if one is None else json.loads(one["body"]) for one in response.json]


def test_each_call_is_answered_in_the_order_of_the_request_and_is_in_the_ledger(client: Client) -> None:
    answer = batch(client, sent(form("7001")), sent(form("7002", message=None, sender_action="typing_on")), sent("x=y"))
    assert [one["code"] for one in answer.json] == [200, 200, 400]
    told = bodies(answer)
    assert told[0]["message_id"] == client.entry(recipient="7001")["message_id"]
    assert told[1] == {"recipient_id": "7002"}
    assert told[2]["error"]["code"] == 100
    names = {header["name"] for header in answer.json[0]["headers"]}
    assert {"content-type", "x-fb-trace-id", "x-app-usage"} <= names
    steps = [(entry["edge"], entry["step"], entry["http_status"]) for entry in client.entries(4)]
    assert steps == [("batch", None, 200), ("messages", "message", 200), ("messages", "typing_on", 200),
                     ("messages", None, 400)]  # fmt: skip  # a table


def test_a_batch_may_be_json_without_headers_and_without_a_version(client: Client) -> None:
    calls = [sent(form(), "v24.0/me/messages"), {"method": "GET", "relative_url": "me/conversations?user_id=7001"}]
    body = json.dumps({"batch": calls, "include_headers": False})
    answer = client.ask("POST", "/", body, json_headers())
    assert [sorted(one) for one in answer.json] == [["body", "code"]] * 2
    assert [entry["version"] for entry in client.entries(2)][1] == "v24.0"


def test_a_call_that_depends_on_another_comes_after_it_and_may_take_a_value_from_its_answer(client: Client) -> None:
    client.control("PUT", "latency", {"steps": {"typing_on": 0.05}})
    first = sent(form(message=None, sender_action="typing_on"), name="first", omit_response_on_success=False)
    second = sent(form("{result=first:$.recipient_id}"), depends_on="first")
    told = bodies(batch(client, first, second))
    assert told[1]["recipient_id"] == "7001"
    assert [entry["step"] for entry in client.entries(3)][1:] == ["typing_on", "message"]


def test_a_named_call_is_not_told_unless_it_fails(client: Client) -> None:
    assert bodies(batch(client, sent(form(), name="a"), sent(form())))[0] is None
    (told,) = bodies(batch(client, sent(form("Ada"), name="a")))
    assert told["error"]["code"] == 100


def test_what_depends_on_a_call_that_failed_is_not_made(client: Client) -> None:
    told = bodies(batch(client, sent(form("Ada"), name="a"), sent(form(), depends_on="a"), sent(form())))
    assert (told[0]["error"]["code"], told[1], "message_id" in told[2]) == (100, None, True)
    assert client.control("GET", "summary")["delivered"] == 1


def test_rules_and_limits_look_at_each_call(client: Client) -> None:
    client.order(match={"step": "message"}, every=2, fault={"kind": "error", "code": 613})
    told = bodies(batch(client, *[sent(form(f"700{number}")) for number in range(4)]))
    assert ["error" in one for one in told] == [False, True, False, True]


def test_each_call_may_bring_its_own_token_but_the_batch_needs_one(client: Client) -> None:
    assert batch(client, sent(form()), token=None).error == (104, None)
    (told,) = bodies(batch(client, sent(f"{form()}&access_token=dead")))
    assert told["error"]["code"] == 190


@pytest.mark.parametrize(
    ("calls", "code", "says"),
    [
        ([], 194, "batch has too few"),
        ([sent(form())] * 51, 105, "batch has too many"),
        (["x"], 100, "array of objects"),
        ([{"method": "POST"}], 100, "batch[0] needs a relative_url"),
        ([{"method": "BREW", "relative_url": "me"}], 100, "batch[0][method]"),
        ([sent(form(), body=7)], 100, "batch[0]"),
        ([sent(form(), attached_files="x")], 100, "attached_files"),
        ([sent(form(), depends_on="later"), sent(form(), name="later")], 100, "earlier call"),
        ([sent(form(), name="a", depends_on="a")], 100, "earlier call"),
        ([sent(form(), name="a"), sent(form(), name="a")], 100, "once"),
        ([sent(form(), name=7)], 100, "must be strings"),
    ],
)
def test_a_malformed_batch_is_refused_whole(client: Client, calls: list[Any], code: int, says: str) -> None:
    answer = batch(client, *calls)
    assert answer.error == (code, None)
    assert says in answer.json["error"]["message"]
    assert client.control("GET", "summary")["delivered"] == 0


def test_a_batch_in_a_batch_is_none(client: Client) -> None:
    (told,) = bodies(batch(client, sent(urlencode({"batch": "[]"}), "")))
    assert told["error"]["error_subcode"] == 33
