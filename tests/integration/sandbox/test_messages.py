"""The messages edge when nothing goes wrong to order."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.integration.sandbox.client import (
    INSTAGRAM,
    INSTAGRAM_TOKEN,
    MESSAGE,
    PAGE,
    TOKEN,
    Client,
    json_headers,
    raw_call,
    until_end,
)

MULTIPART = "multipart/form-data; boundary=b"
FORM = "application/x-www-form-urlencoded"
AS_TEXT = {name: value if isinstance(value, str) else json.dumps(value) for name, value in MESSAGE.items()}


def multipart(fields: dict[str, str]) -> bytes:
    parts = [f'--b\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
    return ("".join(parts) + "--b--\r\n").encode()


@pytest.mark.parametrize("path", ["/v25.0/me/messages", "/me/messages", f"/v25.0/{PAGE}/messages", f"/{PAGE}/messages"])
@pytest.mark.parametrize(
    ("query", "headers", "body"),
    [
        ("", json_headers(), json.dumps(MESSAGE).encode()),
        ("", {"Content-Type": "application/json"}, json.dumps(MESSAGE | {"access_token": TOKEN}).encode()),
        (urlencode({"access_token": TOKEN}), {"Content-Type": FORM}, urlencode(AS_TEXT).encode()),
        ("", {"Content-Type": FORM}, urlencode(AS_TEXT | {"access_token": TOKEN}).encode()),
        (urlencode(AS_TEXT | {"access_token": TOKEN}), {}, b""),
        ("", json_headers() | {"Content-Type": MULTIPART}, multipart(AS_TEXT)),
        ("", {"Content-Type": MULTIPART}, multipart(AS_TEXT | {"access_token": TOKEN})),
    ],
    ids=["json", "json+token", "form, token in query", "form+token", "query", "multipart", "multipart+token"],
)
def test_every_encoding_on_every_path_delivers_the_same(
    client: Client, path: str, query: str, headers: dict[str, str], body: bytes
) -> None:
    answer = client.ask("POST", f"{path}?{query}" if query else path, body, headers)
    entry = client.entry()
    assert answer.status == 200
    assert answer.json == {"recipient_id": "7001", "message_id": entry["message_id"]}
    assert (entry["delivered"], entry["ending"], entry["http_status"]) == (True, "answered", 200)
    assert (entry["conversation"], entry["step"]) == (f"{PAGE}/id:7001", "message")
    assert (entry["text"], entry["metadata"]) == ("hello", "m")
    assert entry["parameters"] == {"messaging_type": "RESPONSE", "message": MESSAGE["message"]}
    assert entry["version"] == ("v25.0" if path.startswith("/v25.0") else None)


@pytest.mark.parametrize("kind", ["user_ref", "phone_number"])
def test_a_recipient_that_is_not_an_id_gets_no_recipient_id(client: Client, kind: str) -> None:
    answer = client.call(recipient={kind: "x"}, message={"text": "hello"})
    assert answer.json == {"message_id": client.entry()["message_id"]}


def test_actions_answer_without_a_message_id_and_move_the_bubble(client: Client) -> None:
    def typing() -> bool:
        shown: bool = client.control("GET", "conversations")["conversations"][0]["typing"]
        return shown

    for name, expected in (("typing_on", True), ("typing_off", False), ("TYPING_ON", True), ("mark_seen", True)):
        answer = client.call(recipient={"id": "7001"}, sender_action=name)
        assert (answer.status, answer.json) == (200, {"recipient_id": "7001"})
        assert typing() is expected
    client.call()
    assert not typing()
    assert [entry["step"] for entry in client.entries(order="delivery")] == [
        "typing_on",
        "typing_off",
        "typing_on",
        "mark_seen",
        "message",
    ]


def test_an_uploaded_file_is_taken_and_saved_if_asked(client: Client) -> None:
    attachment = {"attachment": {"type": "image", "payload": {"is_reusable": True}}}
    fields = {"recipient": '{"id":"7001"}', "message": json.dumps(attachment)}
    file = b'--b\r\nContent-Disposition: form-data; name="filedata"; filename="x.png"\r\n\r\n' + b"\x00\xff" * 300_000
    headers = json_headers() | {"Content-Type": MULTIPART}
    answer = client.ask("POST", "/me/messages", file + b"\r\n" + multipart(fields), headers)
    assert answer.status == 200, answer.body
    again = {"attachment": {"type": "image", "payload": {"attachment_id": answer.json["attachment_id"]}}}
    assert client.call(recipient={"id": "7002"}, message=again).status == 200
    client.control("POST", "clock/advance", {"seconds": 91 * 86_400})
    assert client.call(recipient={"id": "7002"}, message=again).error == (100, 2018074)


def test_every_answer_has_the_headers_of_graph(client: Client) -> None:
    client.control("PUT", "usage", {"app": {"call_count": 28}, "pages": {PAGE: {"call_count": 95}}})
    right, wrong = client.call(), client.call(recipient={"id": "bob"}, message={"text": "x"})
    for answer in (right, wrong):
        assert answer.headers["facebook-api-version"] == "v25.0"
        assert json.loads(answer.headers["x-app-usage"])["call_count"] == 28
        usage = json.loads(answer.headers["x-business-use-case-usage"])[PAGE][0]
        assert (usage["type"], usage["call_count"]) == ("messenger", 95)
        assert answer.headers["x-fb-rev"]
        assert answer.headers["x-fb-debug"]
    assert "www-authenticate" not in right.headers
    assert wrong.headers["www-authenticate"].startswith('OAuth "Facebook Platform" "invalid_request" "(#100) Param')
    assert wrong.headers["x-fb-trace-id"] == wrong.json["error"]["fbtrace_id"]
    traces = [entry["fbtrace_id"] for entry in client.entries()]
    assert traces == [right.headers["x-fb-trace-id"], wrong.headers["x-fb-trace-id"]]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_reading_changing_and_deleting_are_refused_in_graph_s_way(client: Client, method: str) -> None:
    answer = client.ask(method, "/v25.0/me/messages", json.dumps(MESSAGE), json_headers())
    assert (answer.status, answer.error) == (400, (100, 33))
    assert answer.json["error"]["type"] == "GraphMethodException"
    assert f"Unsupported {method.lower()} request" in answer.json["error"]["message"]
    assert not client.entry()["delivered"]


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/", (100, 33)),
        ("/v25.0", (100, 33)),
        ("/me", (100, 33)),
        ("/9999/messages", (100, 33)),
        (f"/{INSTAGRAM}/messages", (10, None)),
        ("/me/messsages", (2500, None)),
        ("/me/messages/more%0D%0AX:%22y", (2500, None)),
    ],
)
def test_what_is_not_there_is_refused_in_graph_s_way(client: Client, path: str, error: tuple[int, None]) -> None:
    answer = client.call(path=path)
    assert answer.error == error
    assert "x" not in answer.headers
    assert (client.entry()["error_code"], client.entry()["error_subcode"]) == error


def test_dead_and_wrong_tokens_are_refused_and_deliver_nothing(client: Client) -> None:
    assert client.call(token="EAAother").error == (190, None)
    assert client.ask("POST", "/me/messages", json.dumps(MESSAGE)).error == (104, None)
    client.control("POST", f"pages/{PAGE}/kill-tokens", {"subcode": 463})
    dead = client.call()
    assert (dead.status, dead.error) == (400, (190, 463))
    assert '"invalid_token"' in dead.headers["www-authenticate"]
    client.control("POST", "pages", {"id": PAGE, "token": "EAAnew"})
    assert client.call(token="EAAnew").status == 200
    assert client.call().error == (190, 463)
    assert [entry["delivered"] for entry in client.entries()] == [False, False, False, True, False]


def test_the_token_is_looked_at_before_the_call(client: Client) -> None:
    assert client.ask("POST", "/me/messages", "{", json_headers("EAAother")).error == (190, None)
    assert client.ask("POST", "/me/messages", "{", json_headers()).error == (100, None)


def test_a_page_with_an_app_secret_asks_for_a_proof(client: Client) -> None:
    client.control("POST", "pages", {"id": "3003", "token": "EAAproved", "app_secret": "sesame"})
    right = hmac.new(b"sesame", b"EAAproved", hashlib.sha256).hexdigest()
    assert client.call(token="EAAproved").error == (100, None)
    assert client.call(token="EAAproved", path=f"/me/messages?appsecret_proof={'0' * 64}").error == (100, None)
    assert client.call(token="EAAproved", path=f"/me/messages?appsecret_proof={right}").status == 200


def test_tokens_never_get_into_the_ledger_or_any_other_answer(client: Client) -> None:
    client.control("POST", "pages", {"id": "3003", "token": "EAAsecretThird", "app_secret": "EAAsecretProof"})
    for path in (f"/me/messages?access_token={TOKEN}", f"/{TOKEN}/messages", f"/me/{TOKEN}", "/v25.0/me/messages"):
        client.call(path=path)
        client.ask("POST", path, json.dumps(MESSAGE | {"access_token": TOKEN}), json_headers())
        client.ask("POST", path, urlencode({"access_token": TOKEN}), {"Content-Type": FORM})
    client.call(token=INSTAGRAM_TOKEN)
    refused = client.ask("POST", "/sandbox/pages", json.dumps({"id": "x", "token": TOKEN, "platform": "EAA"}))
    assert refused.status == 422
    assert b"secret" not in refused.body
    for path in ("ledger", "pages", "summary", "conversations", "rules", "usage", "switches", "health"):
        answer = client.ask("GET", f"/sandbox/{path}")
        assert answer.status == 200
        assert b"secret" not in answer.body, path
    assert len(client.entries()) == 13


def test_calls_at_once_are_each_delivered_once_and_counted_once(client: Client) -> None:
    def twenty(person: int) -> list[str]:
        recipient = {"id": str(7000 + person)}
        answers = [client.call(recipient=recipient, message={"text": f"{person}/{n}"}) for n in range(20)]
        return [answer.json["message_id"] for answer in answers]

    client.control("PUT", "latency", {"default": {"low": 0.0, "high": 0.01}})
    with ThreadPoolExecutor(12) as pool:
        told = [mid for mids in pool.map(twenty, range(12)) for mid in mids]
    delivered = client.entries(order="delivery")
    assert [entry["delivery"] for entry in delivered] == list(range(1, 241))
    assert Counter(entry["message_id"] for entry in delivered) == Counter(told)
    assert len(set(told)) == 240
    for person in range(12):
        texts = [entry["text"] for entry in delivered if entry["recipient"] == {"id": str(7000 + person)}]
        assert texts == [f"{person}/{n}" for n in range(20)]


def test_a_kept_alive_connection_has_one_number_and_pipelined_calls_their_order(client: Client) -> None:
    texts = ["one", "two", "three"]
    calls = [raw_call({"recipient": {"id": "7001"}, "message": {"text": text}}) for text in texts]
    calls[-1] = calls[-1].replace(b"Host:", b"Connection: close\r\nHost:")
    with client.opened(b"".join(calls)) as connection:
        assert until_end(connection).count(b"HTTP/1.1 200 OK") == 3
    client.call()
    entries = client.entries()
    assert [entry["text"] for entry in entries[:3]] == texts
    numbers = [entry["connection"] for entry in entries]
    assert numbers[0] == numbers[1] == numbers[2] != numbers[3]


def test_a_client_that_hangs_up_in_the_middle_of_a_request_is_in_the_ledger_as_gone(client: Client) -> None:
    with client.opened(raw_call()[:-5]):
        pass
    entry = client.entry(ending="gone")
    assert (entry["delivered"], entry["http_status"], entry["page"]) == (False, None, None)


def test_a_body_beyond_all_bounds_is_refused(client: Client) -> None:
    answer = client.ask("POST", "/me/messages", b" " * (33 * 2**20), json_headers())
    assert answer.error == (100, 2018109)


def test_half_a_surrogate_pair_breaks_nothing(client: Client) -> None:
    body: dict[str, Any] = {"recipient": {"id": "\ud800"}, "message": {"text": "\udfff", "metadata": "\ud800"}}
    assert client.call(**body).error == (100, None)
    assert client.call(recipient={"user_ref": "\ud800"}, message={"attachment": {"type": "\ud800"}}).error == (
        100,
        None,
    )
    assert [entry["text"] for entry in client.entries()] == ["\udfff", None]
