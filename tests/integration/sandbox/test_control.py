"""The control interface under ``/sandbox/``."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from demo.ledger import Sandbox, SandboxRefused
from tests.integration.sandbox.client import INSTAGRAM, MESSAGE, PAGE, Client, raw_call

ERROR = {"kind": "error", "code": 2, "status": 500}


def test_a_rule_lives_from_its_order_until_it_is_lifted(client: Client) -> None:
    answer = client.ask(
        "POST",
        "/sandbox/rules",
        json.dumps({"match": {"step": "message"}, "fault": ERROR, "every": 5, "times": 3}),
    )
    assert answer.status == 201
    assert answer.json["number"] == 1
    assert (answer.json["every"], answer.json["times"], answer.json["hits"]) == (5, 3, 0)
    assert answer.json["fault"]["code"] == 2
    assert client.order(fault={"kind": "hold"}) == 2
    assert client.order(fault={"kind": "hold"}) == 3
    assert [rule["number"] for rule in client.control("GET", "rules")["rules"]] == [1, 2, 3]
    assert client.control("DELETE", "rules/2") == {"removed": [2]}
    assert client.ask("DELETE", "/sandbox/rules/2").status == 404
    assert client.control("DELETE", "rules") == {"removed": [1, 3]}
    assert client.call().status == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "rules", '{"fault":{"kind":"explode"}}', "fault"),
        ("POST", "rules", '{"fault":{"kind":"slow"}}', "fault.slow.seconds"),
        ("POST", "rules", '{"fault":{"kind":"reset"},"every":0}', "every"),
        ("POST", "rules", '{"fault":{"kind":"reset"},"match":{"step":"dance"}}', "match"),
        ("POST", "rules", "{}", "fault"),
        ("POST", "rules", "not json", ""),
        ("POST", "rules", "", ""),
        ("GET", "ledger?after=-1", None, "after"),
        ("GET", "ledger?ending=well", None, "ending"),
        ("GET", "ledger?colour=red", None, "colour"),
        ("GET", "ledger?step=a&step=b", None, "step"),
        ("POST", "pages", '{"id":"me","token":"T"}', "id"),
        ("POST", "pages", '{"id":"a/b","token":"T"}', "id"),
        ("POST", "pages", '{"id":"1","token":"two words"}', "token"),
        ("POST", "pages", '{"id":"1","token":"T","platform":"telegram"}', "platform"),
        ("POST", f"pages/{PAGE}/kill-tokens", '{"subcode":"x"}', "subcode"),
        ("PUT", "latency", '{"default":-1}', "default"),
        ("PUT", "latency", '{"steps":{"dance":1}}', ""),
        ("PUT", "usage", '{"app":{"call_count":-1}}', "app.call_count"),
        ("PUT", "switches", '{"statuses":{"2":99}}', "statuses.2"),
        ("POST", "clock/advance", '{"seconds":-1}', "seconds"),
        ("POST", "clock/advance", '{"seconds":null}', "seconds"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_field_and_changes_nothing(
    client: Client, method: str, path: str, body: str | None, field: str
) -> None:
    places = ("rules", "pages", "latency", "usage", "switches")
    before = [client.control("GET", place) for place in places]
    answer = client.ask(method, f"/sandbox/{path}", body)
    assert answer.status == 422
    fields = [problem["field"] for problem in answer.json["problems"]]
    assert any(found == field or found.startswith(f"{field}.") for found in fields), fields
    assert all(problem["problem"] for problem in answer.json["problems"])
    assert [client.control("GET", place) for place in places] == before


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/sandbox/nothing", 404),
        ("DELETE", "/sandbox", 405),
        ("PUT", "/sandbox/rules", 405),
        ("DELETE", "/sandbox/rules/9", 404),
        ("DELETE", "/sandbox/pages/9", 404),
        ("POST", "/sandbox/pages/9/kill-tokens", 404),
    ],
)
def test_what_is_not_there_is_said_in_json_and_is_no_call(client: Client, method: str, path: str, status: int) -> None:
    answer = client.ask(method, path)
    assert (answer.status, bool(answer.json["error"])) == (status, True)
    assert client.entries() == []


def test_pages_come_and_go_with_their_tokens(client: Client) -> None:
    shown = client.control("POST", "pages", {"id": "3003", "token": "EAAthird", "platform": "instagram"})
    assert shown == {"id": "3003", "platform": "instagram", "live_tokens": 1, "proof_required": False}
    assert [page["id"] for page in client.control("GET", "pages")["pages"]] == [PAGE, INSTAGRAM, "3003"]
    assert client.call(token="EAAthird").status == 200
    assert client.control("POST", "pages/3003/kill-tokens", {}) == {"killed": 1}
    assert client.call(token="EAAthird").error == (190, 460)
    assert client.control("DELETE", "pages/3003") == {"removed": "3003"}
    assert [page["id"] for page in client.control("GET", "pages")["pages"]] == [PAGE, INSTAGRAM]


def test_settings_are_shown_as_set_and_what_is_left_out_is_the_default_again(client: Client) -> None:
    client.control("PUT", "latency", {"default": 0.001, "steps": {"message": {"low": 0.0, "high": 0.002}}})
    assert client.control("GET", "latency") == {"default": 0.001, "steps": {"message": {"low": 0.0, "high": 0.002}}}
    assert client.control("PUT", "latency", {}) == {"default": 0.0, "steps": {}}
    client.control("PUT", "usage", {"app": {"call_count": 97}})
    assert client.control("GET", "usage")["app"]["call_count"] == 97


def test_the_clock_is_put_forward_and_the_ledger_follows(client: Client) -> None:
    before = client.control("GET", "health")["now"]
    after = client.control("POST", "clock/advance", {"seconds": 86_400})
    assert after["ahead_seconds"] == 86_400
    client.call()
    assert client.entry()["committed_at"] >= before + 86_400


def test_a_reset_forgets_everything_but_how_the_sandbox_was_started(client: Client) -> None:
    client.order(fault={"kind": "slow", "seconds": 0})
    client.control("PUT", "latency", {"default": 0.001})
    client.control("DELETE", f"pages/{INSTAGRAM}")
    client.control("POST", "clock/advance", {"seconds": 86_400})
    client.call()
    health = client.control("POST", "reset")
    assert (health["status"], health["requests"]) == ("ok", 0)
    assert client.control("GET", "rules") == {"rules": []}
    assert client.control("GET", "latency")["default"] == 0.0
    assert [page["id"] for page in client.control("GET", "pages")["pages"]] == [PAGE, INSTAGRAM]
    assert client.control("GET", "conversations") == {"conversations": []}
    assert client.control("POST", "clock/advance", {"seconds": 0})["ahead_seconds"] == 0
    assert client.entries() == []


def test_a_reader_of_the_ledger_waits_for_what_is_still_to_come(client: Client) -> None:
    client.control("PUT", "latency", {"default": 0.05})
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(client.entries, 3, order="delivery", step="message")
        for _ in range(3):
            client.call(recipient={"id": "7001"}, sender_action="typing_on")
            client.call()
        assert [entry["delivery"] for entry in reading.result()] == [2, 4, 6]


def test_a_reader_that_waits_is_woken_by_a_call_that_will_never_end(client: Client) -> None:
    number = client.order(fault={"kind": "hold"})
    reading = f"GET /sandbox/ledger?rule={number}&at_least=1&wait=600 HTTP/1.1\r\nHost: x\r\n\r\n"
    with client.opened(reading.encode()) as reader:
        client.control("GET", "health")  # answered after the reader was heard
        with client.opened(raw_call()):
            assert reader.recv(65536).startswith(b"HTTP/1.1 200 OK")


def test_the_ledger_is_read_page_by_page(client: Client) -> None:
    for _ in range(5):
        client.call()
    found = []
    after: int | None = 0
    while after is not None:
        answer = client.control("GET", "ledger", order="delivery", page=PAGE, after=after, limit=2)
        found += [entry["delivery"] for entry in answer["entries"]]
        after = answer["next"]
    assert found == [1, 2, 3, 4, 5]
    assert client.control("GET", "ledger", page=INSTAGRAM) == {"entries": [], "next": None}


def test_the_demonstration_s_client_understands_the_ledger(client: Client) -> None:
    sandbox = Sandbox(f"http://127.0.0.1:{client.port}")
    sandbox.order({"match": {"step": "message"}, "fault": ERROR, "every": 2, "times": 1})
    answers = [client.call(), client.call()]
    client.call(recipient={"id": "7001"}, sender_action="typing_off")
    deliveries = sandbox.deliveries(PAGE)
    assert [delivery.step for delivery in deliveries] == ["message", "typing_off"]
    assert (deliveries[0].message_id, deliveries[0].text) == (answers[0].json["message_id"], "hello")
    with pytest.raises(SandboxRefused, match="fault"):
        sandbox.order({"fault": {"kind": "explode"}})
    assert MESSAGE["recipient"] == {"id": deliveries[0].recipient}
