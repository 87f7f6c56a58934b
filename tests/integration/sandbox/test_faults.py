"""Each fault over real sockets: what the client sees, against what the ledger says."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any

import pytest

from tests.integration.sandbox.client import PAGE, Client, Response, raw_call, until_end


def shown(client: Client) -> int:
    """How many messages the person has got."""
    conversations = client.control("GET", "conversations")["conversations"]
    return sum(conversation["messages"] for conversation in conversations)


def the_entry(client: Client, number: int, ending: str) -> dict[str, Any]:
    return client.entry(rule=number, ending=ending)


@pytest.mark.parametrize("delivered", [False, True])
def test_a_reset_reaches_the_client_as_one_with_no_answer(client: Client, delivered: bool) -> None:
    number = client.order(fault={"kind": "reset", "delivered": delivered})
    with client.opened(raw_call()) as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)
    entry = the_entry(client, number, "reset")
    assert (entry["delivered"], shown(client)) == (delivered, int(delivered))
    assert (entry["message_id"] is not None) is delivered
    assert (entry["http_status"], entry["answered_at"], entry["fbtrace_id"]) == (None, None, None)


@pytest.mark.parametrize("delivered", [False, True])
def test_a_held_connection_stays_open_without_an_answer_until_the_client_hangs_up(
    client: Client, delivered: bool
) -> None:
    number = client.order(fault={"kind": "hold", "delivered": delivered})
    with client.opened(raw_call()) as connection:
        entry = the_entry(client, number, "open")
        assert (entry["delivered"], shown(client)) == (delivered, int(delivered))
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)
    entry = the_entry(client, number, "held")
    assert (entry["delivered"], entry["http_status"]) == (delivered, None)


def test_a_slow_answer_comes_after_its_delivery_or_before_it(client: Client) -> None:
    for delivered in (True, False):
        number = client.order(fault={"kind": "slow", "seconds": 0.3, "delivered": delivered}, times=1)
        began = time.monotonic()
        assert client.call().status == 200
        assert time.monotonic() - began >= 0.3
        entry = the_entry(client, number, "answered")
        before = entry["committed_at"] - entry["arrived_at"]
        after = entry["answered_at"] - entry["committed_at"]
        assert (after if delivered else before) >= 0.3
        assert (after > before) is delivered


def test_a_message_lands_though_its_client_hung_up_before(client: Client) -> None:
    number = client.order(fault={"kind": "slow", "seconds": 1.0})
    with client.opened(raw_call()):
        assert not the_entry(client, number, "open")["delivered"]
    entry = the_entry(client, number, "gone")
    assert entry["delivered"]
    assert (entry["http_status"], shown(client)) == (None, 1)


def test_latency_also_ends_in_a_delivery_without_a_reader(client: Client) -> None:
    client.control("PUT", "latency", {"steps": {"message": 1.0}})
    with client.opened(raw_call()):
        client.entry(ending="open", page=PAGE)
    assert client.entry(ending="gone")["delivered"]


@pytest.mark.parametrize("delivered", [False, True])
def test_a_bad_gateway_is_a_page_for_people(client: Client, delivered: bool) -> None:
    number = client.order(fault={"kind": "bad_gateway", "delivered": delivered})
    answer = client.call()
    assert answer.status == 502
    assert answer.headers["content-type"].startswith("text/html")
    assert "x-fb-trace-id" not in answer.headers
    with pytest.raises(json.JSONDecodeError):
        _ = answer.json
    entry = the_entry(client, number, "answered")
    assert (entry["delivered"], entry["http_status"], entry["error_code"]) == (delivered, 502, None)


@pytest.mark.parametrize("delivered", [True, False])
def test_garbage_is_200_and_no_json(client: Client, delivered: bool) -> None:
    number = client.order(fault={"kind": "garbage", "delivered": delivered})
    answer = client.call()
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json; charset=UTF-8")
    with pytest.raises(json.JSONDecodeError):
        _ = answer.json
    assert the_entry(client, number, "answered")["delivered"] is delivered


@pytest.mark.parametrize(("delivered", "body"), [(True, {"recipient_id": "7001"}), (False, {})])
def test_an_answer_may_lack_its_message_id(client: Client, delivered: bool, body: dict[str, str]) -> None:
    number = client.order(fault={"kind": "no_message_id", "delivered": delivered})
    answer = client.call()
    assert (answer.status, answer.json) == (200, body)
    entry = the_entry(client, number, "answered")
    assert (entry["delivered"], entry["message_id"] is not None) == (delivered, delivered)


@pytest.mark.parametrize(
    ("fault", "status", "error", "delivered"),
    [
        ({"code": 2, "status": 500}, 500, (2, None), False),
        ({"code": 2}, 500, (2, None), False),
        ({"code": 1}, 500, (1, None), False),
        ({"code": 1, "delivered": True}, 500, (1, None), True),
        ({"code": 1, "subcode": 1357046}, 500, (1, 1357046), True),
        ({"code": 613, "subcode": 1996}, 400, (613, 1996), False),
        ({"code": 80006}, 400, (80006, None), False),
        ({"code": 100, "subcode": 2018001, "status": 200}, 200, (100, 2018001), False),
        ({"code": -1, "status": 503}, 503, (-1, None), False),
    ],
)
def test_an_ordered_error_is_answered_and_delivers_only_where_it_says(
    client: Client, fault: dict[str, object], status: int, error: tuple[int, int | None], delivered: bool
) -> None:
    number = client.order(fault={"kind": "error"} | fault)
    answer = client.call()
    assert (answer.status, answer.error) == (status, error)
    entry = the_entry(client, number, "answered")
    assert (entry["error_code"], entry["error_subcode"], entry["http_status"]) == (*error, status)
    assert (entry["delivered"], shown(client)) == (delivered, int(delivered))


def test_every_fault_can_come_late(client: Client) -> None:
    for kind in ("error", "garbage", "bad_gateway", "no_message_id"):
        number = client.order(fault={"kind": kind, "seconds": 0.2} | ({"code": 2} if kind == "error" else {}), times=1)
        client.call()
        entry = the_entry(client, number, "answered")
        assert entry["answered_at"] - entry["arrived_at"] >= 0.2
    client.order(fault={"kind": "reset", "seconds": 0.2, "delivered": True})
    began = time.monotonic()
    with client.opened(raw_call()) as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)
    assert time.monotonic() - began >= 0.2


def test_a_fault_takes_only_the_connection_it_hit(client: Client) -> None:
    client.order(match={"recipient": "7002"}, fault={"kind": "reset"})
    hit = raw_call({"recipient": {"id": "7002"}, "message": {"text": "x"}})
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=20)
    for _ in range(2):
        connection.request("GET", "/sandbox/health")
        assert connection.getresponse().read()
        with client.opened(hit) as other, pytest.raises(ConnectionResetError):
            other.recv(1)
    connection.close()


def test_a_kept_alive_connection_can_be_reset_at_its_second_call(client: Client) -> None:
    client.order(fault={"kind": "reset"}, every=2)
    with client.opened(raw_call()) as connection:
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK")
        connection.sendall(raw_call())
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    first, second = client.entries()
    assert first["connection"] == second["connection"]
    assert [first["ending"], second["ending"]] == ["answered", "reset"]


def test_every_and_times_hit_the_calls_that_were_ordered(client: Client) -> None:
    number = client.order(
        match={"step": "message"}, fault={"kind": "error", "code": 2, "status": 500}, every=5, times=3
    )
    statuses = []
    for _ in range(25):
        client.call(recipient={"id": "7001"}, sender_action="typing_on")
        statuses.append(client.call().status)
    assert [n for n, status in enumerate(statuses, 1) if status == 500] == [5, 10, 15]
    assert client.control("GET", "rules")["rules"][0]["hits"] == 3
    assert [entry["step"] for entry in client.entries(rule=number)] == ["message"] * 3
    assert client.control("GET", "summary")["by_error"] == {"2": 3}


def test_a_share_is_drawn_the_same_after_each_reset(client: Client) -> None:
    def run() -> list[int]:
        client.control("POST", "reset")
        client.order(fault={"kind": "error", "code": 2}, probability=0.4)
        return [client.call().status for _ in range(40)]

    first = run()
    assert run() == first
    assert {200, 500} == set(first)


def test_a_call_that_is_refused_anyway_meets_no_fault_that_delivers(client: Client) -> None:
    client.order(fault={"kind": "garbage"})
    refused = client.call(recipient={"id": "bob"}, message={"text": "x"})
    assert refused.error == (100, None)
    assert client.entry()["rule"] is None
    client.order(fault={"kind": "slow", "seconds": 0.0})
    assert client.call(recipient={"id": "bob"}, message={"text": "x"}).error == (100, None)


def test_two_replies_to_a_comment_at_once_deliver_one(client: Client) -> None:
    client.order(fault={"kind": "slow", "seconds": 0.3})
    reply = {"recipient": {"comment_id": "c1"}, "message": {"text": "x"}}
    with client.opened(raw_call(reply)) as first, client.opened(raw_call(reply)) as second:
        answers = [first.recv(65536), second.recv(65536)]
    assert sorted(answer.split()[1] for answer in answers) == [b"200", b"400"]
    assert [entry["error_code"] for entry in client.entries() if not entry["delivered"]] == [10900]
    assert shown(client) == 1


def test_a_reset_of_the_sandbox_leaves_late_steps_out_of_the_new_ledger(client: Client) -> None:
    client.order(fault={"kind": "slow", "seconds": 1.0})
    with client.opened(raw_call().replace(b"Host:", b"Connection: close\r\nHost:")) as connection:
        client.entry(ending="open")
        client.control("POST", "reset")
        assert until_end(connection).startswith(b"HTTP/1.1 200 OK")
    assert client.entries() == []
    assert shown(client) == 0
    assert client.call().status == 200
    assert len(client.entries()) == 1


def test_usage_statuses_and_latency_can_be_set(client: Client) -> None:
    client.control("PUT", "switches", {"statuses": {"100/2018001": 404}, "tags_retired": False})
    client.order(fault={"kind": "error", "code": 100, "subcode": 2018001}, times=1)
    assert client.call().status == 404
    tagged: Response = client.call(
        recipient={"id": "7001"}, message={"text": "x"}, messaging_type="MESSAGE_TAG", tag="ACCOUNT_UPDATE"
    )
    assert tagged.status == 200
    client.control("PUT", "latency", {"default": 0.0, "steps": {"message": 0.25}})
    client.call()
    client.call(recipient={"id": "7001"}, sender_action="typing_on")
    message, action = client.entries()[-2:]
    took = [entry["committed_at"] - entry["arrived_at"] for entry in (message, action)]
    assert took[0] >= 0.25
    assert took[1] < took[0]
