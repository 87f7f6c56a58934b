"""The clients that people write: plain `requests`, in each of the ways of Meta's pages (SEND_API 1, 3, 8)."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from tests.integration.sandbox.client import PAGE, TOKEN, WAIT, Client

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
PERSON = {"id": "7001"}


def url(client: Client, path: str) -> str:
    return f"http://127.0.0.1:{client.port}/v25.0/{path}"


@pytest.fixture(params=["token in the query", "token in the header"])
def access(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What a client adds to every request."""
    if request.param == "token in the query":
        return {"params": {"access_token": TOKEN}}
    return {"headers": {"Authorization": f"Bearer {TOKEN}"}}


def test_a_message_as_json(client: Client, access: dict[str, Any]) -> None:
    body = {"recipient": PERSON, "messaging_type": "RESPONSE", "message": {"text": "h\u00e9llo"}}
    answer = requests.post(url(client, "me/messages"), json=body, timeout=WAIT, **access)
    answer.raise_for_status()
    assert answer.json()["recipient_id"] == PERSON["id"]
    assert client.entry()["text"] == "h\u00e9llo"


def test_a_message_as_a_form(client: Client, access: dict[str, Any]) -> None:
    form = {"recipient": json.dumps(PERSON), "message": json.dumps({"text": "a & b"}), "messaging_type": "RESPONSE"}
    answer = requests.post(url(client, f"{PAGE}/messages"), data=form, timeout=WAIT, **access)
    assert answer.json()["message_id"] == client.entry()["message_id"]
    assert client.entry()["text"] == "a & b"


def test_a_local_file_as_multipart(client: Client, access: dict[str, Any]) -> None:
    form = {
        "recipient": json.dumps(PERSON),
        "message": json.dumps({"attachment": {"type": "image", "payload": {"is_reusable": True}}}),
    }
    files = {"filedata": ("x.png", PNG, "image/png")}
    answer = requests.post(url(client, "me/messages"), data=form, files=files, timeout=WAIT, **access)
    assert answer.json().keys() == {"recipient_id", "message_id", "attachment_id"}


@pytest.mark.parametrize("by", ["file", "address"])
def test_an_upload_ahead_is_sent_by_its_id_for_90_days(client: Client, access: dict[str, Any], by: str) -> None:
    where = url(client, "me/message_attachments")
    if by == "file":
        message = {"attachment": {"type": "image", "payload": {"is_reusable": True}}}
        files = {"filedata": ("x.png", PNG, "image/png")}
        answer = requests.post(where, data={"message": json.dumps(message)}, files=files, timeout=WAIT, **access)
    else:
        payload = {"url": "https://example.com/x.png", "is_reusable": True}
        body = {"message": {"attachment": {"type": "image", "payload": payload}}}
        answer = requests.post(where, json=body, timeout=WAIT, **access)
    assert answer.json().keys() == {"attachment_id"}
    assert client.entry(step="upload")["delivered"] is False
    sent = {"recipient": PERSON, "message": {"attachment": {"type": "image", "payload": answer.json()}}}
    assert requests.post(url(client, "me/messages"), json=sent, timeout=WAIT, **access).status_code == 200
    client.control("POST", "clock/advance", {"seconds": 90 * 86_400})
    late = requests.post(url(client, "me/messages"), json=sent, timeout=WAIT, **access)
    assert late.json()["error"]["error_subcode"] == 2018074


@pytest.mark.parametrize(
    ("message", "subcode"),
    [
        ({}, None),
        ({"attachment": {"type": "template", "payload": {}}}, None),
        ({"attachment": {"type": "image", "payload": {}}}, None),
    ],
)
def test_what_cannot_be_uploaded_is_refused(client: Client, message: dict[str, Any], subcode: int | None) -> None:
    answer = client.call(path="/me/message_attachments", message=message)
    assert answer.error == (100, subcode)


def test_an_upload_meets_faults_meant_for_uploads(client: Client) -> None:
    client.order(match={"step": "upload"}, fault={"kind": "error", "code": 100, "subcode": 2018008})
    message = {"attachment": {"type": "image", "payload": {"url": "https://example.com/x.png"}}}
    assert client.call(path="/me/message_attachments", message=message).error == (100, 2018008)
    assert client.call().status == 200


def test_a_session_sends_looks_and_debugs(client: Client) -> None:
    with requests.Session() as session:
        session.params = {"access_token": TOKEN}
        sent = session.post(
            url(client, "me/messages"), json={"recipient": PERSON, "message": {"text": "a"}}, timeout=WAIT
        )
        asked = {"platform": "messenger", "user_id": PERSON["id"], "fields": "messages{id,message,from}"}
        found = session.get(url(client, "me/conversations"), params=asked, timeout=WAIT).json()
        (shown,) = found["data"][0]["messages"]["data"]
        assert shown == {"id": sent.json()["message_id"], "message": "a", "from": {"id": PAGE}}
        told = session.get(url(client, "debug_token"), params={"input_token": TOKEN}, timeout=WAIT).json()
        assert told["data"]["is_valid"] is True
    assert len({entry["connection"] for entry in client.entries(3)}) == 1


def test_an_error_is_one_that_an_ordinary_client_can_read(client: Client) -> None:
    answer = requests.post(url(client, "me/messages"), json={"recipient": PERSON}, timeout=WAIT)
    with pytest.raises(requests.HTTPError):
        answer.raise_for_status()
    error = answer.json()["error"]
    assert (error["code"], error["type"], bool(error["fbtrace_id"])) == (104, "OAuthException", True)
