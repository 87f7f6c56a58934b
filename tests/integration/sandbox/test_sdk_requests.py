"""Clients that others wrote talk to the sandbox as to the real thing: their requests, as recorded."""

from __future__ import annotations

import json

import pytest

from tests.integration.sandbox.client import TOKEN, Client, until_end
from tests.integration.sandbox.sdk_requests import BATCHES, JSON, RECORDED, Recorded


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded.sdk)
def test_an_sdk_gets_what_it_looks_for(client: Client, recorded: Recorded) -> None:
    client.call()  # so that there is a conversation to read
    answer = client.ask(recorded.method, recorded.path, recorded.body, recorded.headers)
    assert answer.status == 200, answer.body
    assert recorded.answered <= answer.json.keys()
    if "message_id" in recorded.answered:
        assert client.entries(2)[1]["message_id"] == answer.json["message_id"]


@pytest.mark.parametrize("recorded", BATCHES, ids=lambda recorded: recorded.sdk)
def test_an_sdk_may_send_batches(client: Client, recorded: Recorded) -> None:
    answer = client.ask("POST", recorded.path, recorded.body, recorded.headers)
    assert [one["code"] for one in answer.json] == [200] * len(answer.json)
    told = [json.loads(one["body"])["message_id"] for one in answer.json]
    assert told == [entry["message_id"] for entry in client.entries(step="message")]


def test_a_file_may_come_in_chunks(client: Client) -> None:
    """As messaging-api-messenger (Node) streams it."""
    recorded = next(one for one in RECORDED if "a file first" in one.sdk)
    head = f"POST {recorded.path} HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
    parts = [recorded.body[start : start + 100] for start in range(0, len(recorded.body), 100)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in [*parts, b""])
    sent = f"{head}Content-Type: {recorded.headers['Content-Type']}\r\n\r\n".encode() + chunks
    with client.opened(sent) as connection:
        assert b'"message_id"' in until_end(connection)


def test_an_action_with_a_messaging_type_is_refused_as_the_reference_says(client: Client) -> None:
    """The reference: only with the parameter recipient. An SDK that sends one: botly (Node)."""
    body = b'{"messaging_type":"RESPONSE","recipient":{"id":"7001"},"sender_action":"typing_on"}'
    answer = client.ask("POST", f"/v2.12/me/messages?access_token={TOKEN}", body, JSON)
    assert answer.error == (100, None)
    assert "only be sent with recipient" in answer.json["error"]["message"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("page", ["me", "1001"])
def test_the_edge_takes_post_alone(client: Client, method: str, page: str) -> None:
    """Reading, updating and deleting: "not possible at this endpoint" (the reference)."""
    body = b'{"recipient":{"id":"7001"},"message":{"text":"hi"}}'
    answer = client.ask(method, f"/v25.0/{page}/messages?access_token={TOKEN}", body, JSON)
    assert (answer.status, answer.error) == (400, (100, 33))
    assert method.lower() in answer.json["error"]["message"]
    assert client.control("GET", "summary")["delivered"] == 0
