"""Webhooks to an address: what is sent, when, how it is signed, and what happens if nobody takes it (SEND_API 6, 7)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.sandbox.client import (
    INSTAGRAM,
    INSTAGRAM_TOKEN,
    PAGE,
    WAIT,
    Client,
    raw_call,
    until_end,
)
from tests.integration.sandbox.receiver import Receiver, receiver
from tests.waiting import wait_until_equal

SECRET = "sesame"
PERSON = "7001"
HOUR = 3600


@pytest.fixture
def app() -> Iterator[Receiver]:
    with receiver() as state:
        yield state


def subscribe(client: Client, app: Receiver, **parts: Any) -> Any:
    return client.control("PUT", "webhooks", {"url": app.url, "app_secret": SECRET, **parts})


def fates(client: Client) -> list[str]:
    return [webhook["fate"] for webhook in client.control("GET", "webhooks")["webhooks"]]


def wait_for_fates(client: Client, *wanted: str) -> list[dict[str, Any]]:
    wait_until_equal(lambda: fates(client), list(wanted), "fates")
    webhooks: list[dict[str, Any]] = client.control("GET", "webhooks")["webhooks"]
    return webhooks


def test_an_echo_of_a_sent_message_is_signed_over_its_escaped_bytes(client: Client, app: Receiver) -> None:
    subscribe(client, app)
    message = {"text": "gr\u00fc\u00df dich \u2764", "metadata": "job-1"}
    message_id = client.call(recipient={"id": PERSON}, message=message).json["message_id"]
    (received,) = app.wait_for(1)
    assert received.signed_with(SECRET)
    assert not received.signed_with("another")
    assert received.body.isascii()
    assert b"gr\\u00fc\\u00df" in received.body
    event = received.event
    assert (event["sender"], event["recipient"]) == ({"id": PAGE}, {"id": PERSON})
    app_id = event["message"].pop("app_id")
    assert event["message"] == {"is_echo": True, "mid": message_id, **message}
    assert isinstance(app_id, int)
    assert abs(event["timestamp"] / 1000 - time.time()) < WAIT
    assert received.entry["id"] == PAGE
    (webhook,) = wait_for_fates(client, "taken")
    assert (webhook["kind"], webhook["body"].encode()) == ("message_echoes", received.body)
    assert [attempt["status"] for attempt in webhook["attempts"]] == [200]


def test_an_echo_can_come_before_the_answer(client: Client, app: Receiver) -> None:
    subscribe(client, app, echo={"before_answer": True})
    app.answering.clear()
    with client.opened(raw_call()) as connection:
        (received,) = app.wait_for(1)
        assert client.entry()["answered_at"] is None
        app.answering.set()
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    assert received.event["message"]["mid"] == client.entry(ending="answered")["message_id"]


def test_an_echo_can_come_late(client: Client, app: Receiver) -> None:
    subscribe(client, app, echo={"delay_seconds": 0.5})
    began = time.monotonic()
    assert client.call().status == 200
    assert fates(client) == ["waiting"]
    app.wait_for(1)
    assert time.monotonic() - began >= 0.5


def test_an_echo_can_come_twice_or_never(client: Client, app: Receiver) -> None:
    subscribe(client, app, echo={"duplicate": 1.0})
    client.call()
    first, second = app.wait_for(2)
    assert first == second
    subscribe(client, app, echo={"drop": 1.0})
    client.call()
    wait_for_fates(client, "dropped")
    subscribe(client, app, echo=None, reads={})
    client.call()
    assert "read" in app.wait_for(3)[-1].event
    assert len(app.received) == 3


def test_echoes_are_dropped_by_the_seed(client: Client, app: Receiver) -> None:
    def drawn() -> list[str]:
        client.control("POST", "reset")
        subscribe(client, app, echo={"drop": 0.5, "delay_seconds": 60})
        for _ in range(20):
            client.call()
        return fates(client)

    first = drawn()
    assert 0 < first.count("dropped") < 20
    assert drawn() == first


def test_an_echo_can_come_in_standby(client: Client, app: Receiver) -> None:
    subscribe(client, app, echo={"standby": True})
    client.call()
    entry = app.wait_for(1)[0].entry
    assert "messaging" not in entry
    assert entry["standby"][0]["message"]["is_echo"] is True


@pytest.mark.parametrize("kind", ["user_ref", "phone_number"])
def test_a_recipient_that_stays_unknown_has_no_webhook(client: Client, app: Receiver, kind: str) -> None:
    subscribe(client, app, deliveries={}, reads={})
    client.call(recipient={kind: "+1"}, message={"text": "a"})
    assert fates(client) == []


def test_a_lost_answer_does_not_lose_the_echo(client: Client, app: Receiver) -> None:
    subscribe(client, app)
    client.order(fault={"kind": "reset", "delivered": True})
    with client.opened(raw_call()) as connection, pytest.raises(ConnectionResetError):
        until_end(connection)
    assert app.wait_for(1)[0].event["message"]["mid"] == client.entry()["message_id"]


def test_a_refused_call_has_no_echo(client: Client, app: Receiver) -> None:
    subscribe(client, app)
    client.order(fault={"kind": "error", "code": 2})
    assert client.call().status == 500
    assert fates(client) == []


def test_a_webhook_is_sent_again_until_it_is_taken(client: Client, app: Receiver) -> None:
    subscribe(client, app, retry_seconds=[0, 0, 0])
    app.statuses[:] = [500, 404]
    client.call()
    received = app.wait_for(3)
    assert received[0] == received[1] == received[2]
    (webhook,) = wait_for_fates(client, "taken")
    assert [attempt["status"] for attempt in webhook["attempts"]] == [500, 404, 200]


def test_a_webhook_that_nobody_answers_is_lost_in_the_end(client: Client, app: Receiver) -> None:
    subscribe(client, app, retry_seconds=[0], answer_seconds=0.2)
    app.answering.clear()
    client.call()
    (webhook,) = wait_for_fates(client, "lost")
    assert ["no answer" in attempt["problem"] for attempt in webhook["attempts"]] == [True, True]


def test_an_address_that_fails_for_an_hour_is_unsubscribed(client: Client, app: Receiver) -> None:
    subscribe(client, app, retry_seconds=[])
    app.statuses[:] = [500, 500]
    client.call()
    wait_for_fates(client, "lost")
    assert client.control("GET", "webhooks")["subscribed"] is True
    client.control("POST", "clock/advance", {"seconds": HOUR})
    client.call()
    wait_for_fates(client, "lost", "lost")
    assert client.control("GET", "webhooks")["subscribed"] is False
    client.call()
    wait_for_fates(client, "lost", "lost", "lost")
    assert len(app.received) == 2
    subscribe(client, app)
    client.call()
    app.wait_for(3)


def test_calls_do_not_wait_for_webhooks(client: Client, app: Receiver) -> None:
    subscribe(client, app)
    app.answering.clear()
    assert [client.call().status for _ in range(20)] == [200] * 20
    assert set(fates(client)) == {"waiting"}
    app.answering.set()
    wait_for_fates(client, *["taken"] * 20)
    assert {received.event["message"]["mid"] for received in app.received} == {
        entry["message_id"] for entry in client.entries()
    }


def test_deliveries_and_reads_are_told_of_messenger_messages(client: Client, app: Receiver) -> None:
    subscribe(client, app, echo=None, deliveries={}, reads={"delay_seconds": 0.3})
    message_id = client.call().json["message_id"]
    delivered, read = (received.event for received in app.wait_for(2))
    committed = int(client.entry()["committed_at"] * 1000)
    assert (delivered["sender"], delivered["recipient"]) == ({"id": PERSON}, {"id": PAGE})
    assert delivered["delivery"] == {"mids": [message_id], "watermark": committed}
    assert abs(read["read"]["watermark"] - committed - 300) <= 1
    subscribe(client, app, echo=None, deliveries={"with_mids": False})
    client.call()
    assert set(app.wait_for(3)[2].event["delivery"]) == {"watermark"}


def test_instagram_has_echoes_among_its_messages_and_reads_by_mid(client: Client, app: Receiver) -> None:
    subscribe(client, app, deliveries={}, reads={"delay_seconds": 0.2})
    call: dict[str, Any] = {"recipient": {"id": PERSON}, "message": {"text": "a"}}
    message_id = client.call(token=INSTAGRAM_TOKEN, **call).json["message_id"]
    echo, read = app.wait_for(2)
    assert b'"object":"instagram"' in echo.body
    assert echo.event["sender"] == {"id": INSTAGRAM}
    assert read.event["read"] == {"mid": message_id}
    kinds = [webhook["kind"] for webhook in client.control("GET", "webhooks")["webhooks"]]
    assert kinds == ["messages", "messaging_seen"]


def test_what_people_and_other_apps_write_is_told(client: Client, app: Receiver) -> None:
    subscribe(client, app)
    written = {"page": PAGE, "recipient": PERSON, "text": "hello?"}
    mid = client.control("POST", "messages", written | {"from": "person"})["message_id"]
    inbound = app.wait_for(1)[0].event
    assert inbound["sender"] == {"id": PERSON}
    assert inbound["message"] == {"mid": mid, "text": "hello?"}
    client.control("POST", "messages", written | {"from": "page", "app_id": 7, "metadata": "theirs"})
    foreign = app.wait_for(2)[1].event["message"]
    assert (foreign["is_echo"], foreign["app_id"], foreign["metadata"]) == (True, 7, "theirs")
    client.control("POST", "messages", written | {"from": "page"})
    assert set(app.wait_for(3)[2].event["message"]) == {"is_echo", "mid", "text"}


@pytest.mark.parametrize(
    ("happening", "kind", "part"),
    [
        ({"kind": "postback", "title": "Go", "payload": "P"}, "messaging_postbacks", {"title": "Go", "payload": "P"}),
        ({"kind": "referral", "ref": "r", "ad_id": "9"}, "messaging_referrals", {"ref": "r", "ad_id": "9"}),
        ({"kind": "reaction", "message_id": "m_1"}, "message_reactions", {"mid": "m_1", "action": "react"}),
        ({"kind": "notification_optin", "token": "t"}, "messaging_optins", {"notification_messages_token": "t"}),
        ({"kind": "delivery", "message_id": "m_1"}, "message_deliveries", {"mids": ["m_1"]}),
        ({"kind": "read"}, "message_reads", {}),
    ],
)
def test_what_people_do_is_told(
    client: Client, app: Receiver, happening: dict[str, Any], kind: str, part: dict[str, Any]
) -> None:
    subscribe(client, app)
    client.control("POST", "happenings", {"page": PAGE, "recipient": PERSON, **happening})
    (received,) = app.wait_for(1)
    event = received.event
    assert event.pop("sender") == {"id": PERSON}
    assert event.pop("recipient") == {"id": PAGE}
    moment = event.pop("timestamp")
    seconds = int(moment) if kind == "messaging_postbacks" else moment / 1000
    assert isinstance(moment, str) == (kind == "messaging_postbacks")
    assert abs(seconds - time.time()) < WAIT
    ((_, own),) = event.items()
    assert part.items() <= own.items()
    assert client.control("GET", "webhooks")["webhooks"][0]["kind"] == kind


def test_an_optin_of_the_plugin_names_no_person(client: Client, app: Receiver) -> None:
    subscribe(client, app)
    client.control("POST", "happenings", {"page": PAGE, "kind": "optin", "user_ref": "u", "ref": "r"})
    event = app.wait_for(1)[0].event
    assert "sender" not in event
    assert event["optin"] == {"ref": "r", "user_ref": "u"}


def test_the_challenge_must_be_answered_where_one_is_wanted(client: Client, app: Receiver) -> None:
    assert subscribe(client, app, verify_token="right")["subscribed"] is True
    wrong = f'{{"url": "{app.url}", "app_secret": "s", "verify_token": "wrong"}}'
    answer = client.ask("PUT", "/sandbox/webhooks", wrong)
    assert (answer.status, answer.json["problems"][0]["field"]) == (422, "url")
    client.call()
    assert app.wait_for(1)[0].signed_with(SECRET)  # the subscription before still holds


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"url": "ftp://x"}', "url"),
        ('{"url": "http://127.0.0.1:1/"}', "app_secret"),
        ('{"url": null, "echo": {"drop": 2}}', "echo.drop"),
        ('{"url": null, "nonsense": 1}', "nonsense"),
    ],
)
def test_a_subscription_that_makes_no_sense_is_refused(client: Client, body: str, field: str) -> None:
    answer = client.ask("PUT", "/sandbox/webhooks", body)
    assert answer.status == 422
    assert [problem["field"] for problem in answer.json["problems"]] == [field]


def test_an_address_where_nobody_listens_is_a_problem_of_the_webhook_alone(client: Client) -> None:
    with receiver() as gone:
        url = gone.url
    client.control("PUT", "webhooks", {"url": url, "app_secret": SECRET, "retry_seconds": []})
    assert client.call().status == 200
    (webhook,) = wait_for_fates(client, "lost")
    assert "refused" in webhook["attempts"][0]["problem"].lower()


def test_no_secret_comes_out_and_a_reset_ends_the_subscription(client: Client, app: Receiver) -> None:
    shown = str(subscribe(client, app, verify_token="right")) + str(client.control("GET", "webhooks"))
    assert SECRET not in shown
    assert "right" not in shown
    client.control("POST", "reset")
    client.call()
    assert client.control("GET", "webhooks")["webhooks"] == []
    assert app.received == []
