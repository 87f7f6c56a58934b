"""Webhooks at the door: what is signed is read, and nothing in it brings the door down."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from envoi.errors import BadSettings, BadSignature, InvalidWebhook
from envoi.ids import new_job_id
from envoi.metadata import join_metadata
from envoi.settings import Settings
from envoi.webhook import answer_challenge, check_signature, read_webhook
from envoi.webhook_notices import Echo, Enforcement, Inbound, Odd, Receipt, dump, load, notices

RULES = Settings(app_secret=(SecretStr("old"), SecretStr("sesame")), verify_token=SecretStr("tell me"))
MS = 1_795_000_000_000
EXAMPLES = int(os.environ.get("ENVOI_TEST_EXAMPLES", "200"))  # 100000 for the long form
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
EVENT_PARTS = st.dictionaries(
    st.sampled_from(
        ["sender", "recipient", "timestamp", "message", "delivery", "read", "postback", "reaction", "optin", "referral"]
    ),
    JSON | st.dictionaries(st.sampled_from(["id", "mid", "mids", "watermark", "is_echo", "metadata", "type"]), JSON),
    max_size=5,
)


def signed(body: bytes, key: str = "sesame") -> str:
    return "sha256=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def envelope(*events: Any, page: str = "1", where: str = "messaging") -> dict[str, Any]:
    return {"object": "page", "entry": [{"id": page, "time": MS, where: list(events)}]}


def message(person: str = "7", page: str = "1", **fields: Any) -> dict[str, Any]:
    return {"sender": {"id": person}, "recipient": {"id": page}, "timestamp": MS, **fields}


def test_the_signature_is_metas_own() -> None:
    right = "sha256=f39034b29165ec6a5104d9aef27266484ab26c8caa7bca8bcb2dd02e8be61b17"
    check_signature(b"hello world", right, [SecretStr("sesame")])
    check_signature(b"hello world", right.replace("f39", "F39"), [SecretStr("another"), SecretStr("sesame")])
    with pytest.raises(BadSignature):
        check_signature(b"hello world!", right, [SecretStr("sesame")])


@pytest.mark.parametrize("signature", [None, "", "sha256=", "sha1=" + "0" * 40, "sha256=" + "0" * 64, "sha256=é"])
def test_nothing_is_read_without_a_right_signature(signature: str | None) -> None:
    with pytest.raises(BadSignature):
        read_webhook(b"{}", signature, RULES)


def test_without_a_secret_nothing_is_taken() -> None:
    with pytest.raises(BadSettings, match="ENVOI_APP_SECRET"):
        read_webhook(b"{}", signed(b"{}"), Settings())


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"\xff", b"{", b"NaN", b'{"object":"page"}', b'{"object":"page","entry":1}']
)
def test_what_is_signed_and_no_envelope_is_refused_in_words(body: bytes) -> None:
    with pytest.raises(InvalidWebhook):
        read_webhook(body, signed(body), RULES)


def test_each_secret_counts() -> None:
    body = json.dumps(envelope(message(message={"mid": "m_1", "text": "hi"}))).encode()
    for secret in ("old", "sesame"):
        assert read_webhook(body, signed(body, secret), RULES) == [Inbound("1", "7", MS / 1000)]


def test_the_challenge_is_answered_for_the_right_token_only() -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": "tell me", "hub.challenge": ["1158201444"]}
    assert answer_challenge(query, RULES) == "1158201444"
    with pytest.raises(BadSignature):
        answer_challenge({**query, "hub.verify_token": "tell you"}, RULES)
    for wrong in ({**query, "hub.mode": "x"}, {**query, "hub.challenge": "<script>"}, {}):
        with pytest.raises((InvalidWebhook, BadSignature)):
            answer_challenge(wrong, RULES)
    with pytest.raises(BadSettings, match="ENVOI_VERIFY_TOKEN"):
        answer_challenge(query, Settings())


def test_an_echo_of_ours_brings_its_job_and_a_foreign_one_none() -> None:
    job_id = new_job_id()
    said = {"is_echo": True, "mid": "m_1", "app_id": 5}
    ours = message("1", "7", message={**said, "metadata": join_metadata("theirs", job_id)})
    foreign = message("1", "7", message={**said, "metadata": "theirs"})
    turned = message("7", "1", message=said)  # as old pages have it
    found = notices(envelope(ours, foreign, turned))
    assert found == [Echo("1", "7", "m_1", MS / 1000, one) for one in (job_id, None, None)]
    assert notices(envelope(ours, where="standby")) == found[:1]


@pytest.mark.parametrize(
    "fields",
    [
        {"message": {"mid": "m_1", "text": "hi"}},
        {"postback": {"mid": "m_1", "payload": "p"}},
        {"referral": {"ref": "r"}},
        {"reaction": {"mid": "m_1", "action": "react"}},
        {"optin": {"ref": "r"}},
    ],
)
def test_what_a_person_does_opens_the_window(fields: dict[str, Any]) -> None:
    assert notices(envelope(message(**fields))) == [Inbound("1", "7", MS / 1000)]


@pytest.mark.parametrize(
    "event",
    [
        message(optin={"type": "notification_messages"}),  # SEND_API 2, The window
        {"optin": {"ref": "r", "user_ref": "u"}, "timestamp": MS},  # nobody's conversation by id
        message(message={"mid": "m_1", "is_deleted": True}),
    ],
)
def test_what_opens_no_window_is_no_sign_of_life(event: dict[str, Any]) -> None:
    assert notices(envelope(event)) == []


def test_receipts_name_messages_or_a_moment() -> None:
    delivered = message(delivery={"mids": ["m_1"], "watermark": MS})
    read = message(read={"watermark": str(MS // 1000)})
    on_instagram = message(read={"mid": "m_2"})
    assert notices(envelope(delivered, read, on_instagram)) == [
        Receipt("delivered", "1", "7", MS / 1000, ("m_1",), MS / 1000),
        Receipt("read", "1", "7", MS / 1000, (), MS / 1000),
        Receipt("read", "1", "7", MS / 1000, ("m_2",), None),
    ]


def test_an_entry_that_cannot_be_understood_does_not_stop_the_others() -> None:
    found = notices(
        envelope(5, message(delivery=[]), message(message={"mid": "m_1"}), message(timestamp="x", postback={}))
    )
    assert [type(one) for one in found] == [Odd, Odd, Inbound, Odd]


def test_an_enforcement_is_told() -> None:
    event = {"recipient": {"id": "1"}, "timestamp": MS, "policy_enforcement": {"action": "block", "reason": "spam"}}
    assert notices(envelope(event)) == [Enforcement("1", MS / 1000, "block")]


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(JSON | EVENT_PARTS, max_size=4), st.sampled_from(["messaging", "standby"]))
def test_no_event_brings_the_reader_down_and_each_notice_survives_redis(events: list[Any], where: str) -> None:
    for notice in notices(envelope(*events, where=where)):
        assert load(dump(notice)) == notice


@settings(max_examples=EXAMPLES, deadline=None)
@given(JSON)
def test_no_document_brings_the_reader_down(document: Any) -> None:
    try:
        notices(document)
    except InvalidWebhook as error:
        assert str(error)  # noqa: PT017  # either way is right


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_bring_the_door_down(body: bytes) -> None:
    try:
        read_webhook(body, signed(body), RULES)
    except InvalidWebhook as error:
        assert str(error)  # noqa: PT017  # either way is right
