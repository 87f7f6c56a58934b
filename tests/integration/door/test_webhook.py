"""``Envoi.webhook`` on a real Redis: all of a webhook or nothing of it."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from envoi import BadSettings, BadSignature, Envoi, InvalidWebhook, QueueUnavailable
from envoi import settings as envoi_settings
from envoi.client import open_queue
from envoi.queue.connection import connect

APP_SECRET = "sesame"
SIGNED_LEAVES_NOTHING = [b"{", b"[]", b'{"object":"page"}', b"\xff", b'{"object":"page","entry":[],"x":NaN}']


@pytest.fixture
def envoi(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Envoi:
    monkeypatch.setenv("ENVOI_APP_SECRET", APP_SECRET)
    envoi_settings.settings.cache_clear()
    return Envoi(redis_url)


def signed(body: bytes) -> str:
    return "sha256=" + hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()


def body(*events: dict[str, Any]) -> bytes:
    return json.dumps({"object": "page", "entry": [{"id": "1", "messaging": list(events)}]}).encode()


def event(sender: str, recipient: str, **parts: Any) -> dict[str, Any]:
    return {"sender": {"id": sender}, "recipient": {"id": recipient}, "timestamp": int(time.time() * 1000), **parts}


def test_each_notice_goes_where_it_is_waited_for(envoi: Envoi, redis_url: str, redis_client: redis.Redis) -> None:
    queue = open_queue(redis_url)
    before = queue.time()
    given = body(
        event("7", "1", message={"mid": "m_1", "text": "private"}),
        event("1", "7", message={"is_echo": True, "mid": "m_2"}),
        event("7", "1", delivery={"mids": ["m_2"], "watermark": 1_700_000_000_000}),
        event("7", "1", delivery="?"),
        event("7", "1", pass_thread_control={}),
    )
    assert envoi.webhook(given, signed(given)) == 4
    [at] = queue.heard_of(["1/id/7"])
    assert at is not None
    assert before - 0.001 <= at <= queue.time()  # Meta's times have milliseconds
    assert [redis_client.xlen(queue.keys.told), redis_client.xlen(queue.keys.receipts)] == [2, 2]
    everything = str([redis_client.xrange(key) for key in (queue.keys.told, queue.keys.receipts)])
    assert "private" not in everything


def test_what_is_refused_leaves_nothing_behind(envoi: Envoi, redis_client: redis.Redis) -> None:
    for bad in SIGNED_LEAVES_NOTHING:
        with pytest.raises(InvalidWebhook):
            envoi.webhook(bad, signed(bad))
    good = body(event("7", "1", message={"mid": "m"}))
    for signature in (None, "", signed(good + b" ")):
        with pytest.raises(BadSignature):
            envoi.webhook(good, signature)
    assert redis_client.dbsize() == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(given_body=st.binary(max_size=200), signature=st.text(max_size=80) | st.none(), sign=st.booleans())
def test_arbitrary_bytes_leave_nothing_behind(
    envoi: Envoi, redis_client: redis.Redis, given_body: bytes, signature: str | None, sign: bool
) -> None:
    try:
        taken = envoi.webhook(given_body, signed(given_body) if sign else signature)
    except (BadSignature, InvalidWebhook):
        taken = 0
    assert taken == 0
    assert redis_client.dbsize() == 0


def test_a_webhook_without_an_app_secret_is_a_fault_of_the_settings(redis_url: str) -> None:
    with pytest.raises(BadSettings, match="ENVOI_APP_SECRET"):
        Envoi(redis_url).webhook(b"{}", signed(b"{}"))


@pytest.mark.usefixtures("envoi")
def test_a_redis_that_is_not_there_is_said_so() -> None:
    good = body(event("7", "1", message={"mid": "m"}))
    gone = Envoi(client=connect("redis://127.0.0.1:1/0"))
    with pytest.raises(QueueUnavailable):
        gone.webhook(good, signed(good))


def test_a_usual_webhook_costs_less_than_a_millisecond(envoi: Envoi) -> None:
    given = body(event("7", "1", message={"mid": "m_1", "text": "hello"}))
    signature = signed(given)
    envoi.webhook(given, signature)
    best = 1.0
    for _ in range(10):
        began = time.thread_time()
        for _ in range(20):
            envoi.webhook(given, signature)
        best = min(best, (time.thread_time() - began) / 20)
    assert best < 0.001
