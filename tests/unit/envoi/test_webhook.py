"""The door for webhooks: what is refused, what is understood, and that nothing makes it break."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from envoi.errors import BadSettings, BadSignature, InvalidWebhook
from envoi.ids import new_job_id
from envoi.metadata import join_metadata
from envoi.notices import Echo, Enforcement, Inbound, Notice, Odd, Receipt, dump, load
from envoi.settings import Settings
from envoi.webhook import LARGEST, answer_challenge, read_webhook
from envoi.webhook_notices import notices

PAGE, PERSON = "100000000000001", "7001"
AT = 1_700_000_000.123
MS = 1_700_000_000_123
SETTINGS = Settings(app_secret=(SecretStr("sesame"),))
EXAMPLES = int(os.environ.get("ENVOI_TEST_EXAMPLES", "200"))  # 100000 for the long form


APP_SECRET = "sesame"


def signed(body: bytes, secret: str = APP_SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def between(sender: str, recipient: str, **parts: Any) -> dict[str, Any]:
    return {"sender": {"id": sender}, "recipient": {"id": recipient}, "timestamp": MS, **parts}


def from_person(**parts: Any) -> dict[str, Any]:
    return between(PERSON, PAGE, **parts)


def envelope(*events: Any, product: str = "page", channel: str = "messaging", page: Any = PAGE) -> dict[str, Any]:
    return {"object": product, "entry": [{"id": page, "time": MS + 1000, channel: list(events)}]}


def told(*events: Any, **options: Any) -> list[Notice]:
    return notices(envelope(*events, **options))


def only(event: Any, **options: Any) -> Notice:
    (notice,) = told(event, **options)
    return notice


class TestSignature:
    def test_the_published_pair_of_key_and_body_fits(self) -> None:
        body, right = b"hello world", "f39034b29165ec6a5104d9aef27266484ab26c8caa7bca8bcb2dd02e8be61b17"
        with pytest.raises(InvalidWebhook, match="JSON"):  # its signature was found right
            read_webhook(body, f"sha256={right}", SETTINGS)
        with pytest.raises(BadSignature, match="was not made"):
            read_webhook(body, f"sha256={right[:-1]}8", SETTINGS)

    @pytest.mark.parametrize(
        "signature", [None, "", "sha256=", "sha1=" + 40 * "a", "sha256=" + 63 * "a", "sha256=" + 64 * "é", 7]
    )
    def test_a_missing_or_malformed_signature_is_refused(self, signature: Any) -> None:
        with pytest.raises(BadSignature, match="missing or malformed"):
            read_webhook(b"{}", signature, SETTINGS)

    def test_one_changed_byte_or_another_secret_is_refused(self) -> None:
        body = json.dumps(envelope(from_person(message={"mid": "m_1"}))).encode()
        assert len(read_webhook(body, signed(body), SETTINGS)) == 1
        for wrong, signature in ((body + b" ", signed(body)), (body, signed(body, "Sesame"))):
            with pytest.raises(BadSignature):
                read_webhook(wrong, signature, SETTINGS)

    def test_the_secrets_of_further_apps_are_taken_too_and_each_alone_is_enough(self) -> None:
        several = Settings(app_secret=tuple(map(SecretStr, ("one", "two", "three"))))
        body = json.dumps(envelope()).encode()
        for secret in ("one", "two", "three"):
            assert read_webhook(body, signed(body, secret), several) == []
        with pytest.raises(BadSignature):
            read_webhook(b"{}", signed(b"{}", "four"), several)

    def test_without_a_secret_nothing_is_taken(self) -> None:
        for secret in ("", "sesame"):
            with pytest.raises(BadSettings, match="ENVOI_APP_SECRET"):
                read_webhook(b"{}", signed(b"{}", secret), Settings())

    def test_no_error_repeats_the_body_or_the_secret(self) -> None:
        body = b'{"text": "very private", '
        for signature in (signed(body), signed(body, "other"), None):
            with pytest.raises((BadSignature, InvalidWebhook)) as caught:
                read_webhook(body, signature, SETTINGS)
            assert "private" not in f"{caught.value!r}{caught.value.__cause__}"
            assert caught.value.__suppress_context__ or caught.value.__context__ is None
            assert "sesame" not in repr(caught.value)


class TestBody:
    def test_the_size_is_bounded(self) -> None:
        body = b" " * (LARGEST + 1)
        with pytest.raises(InvalidWebhook, match=f"at most {LARGEST} bytes"):
            read_webhook(body, signed(body), SETTINGS)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"\xff\xfe",
            b"nonsense",
            b"[" * 100_000,
            b'{"object":"page","entry":' + b"[" * 100_000,
            b"1" * 5000,
            b'{"a": NaN}',
            b'{"a": Infinity}',
            '{"object":"page"}'.encode("utf-16"),
        ],
    )
    def test_what_is_no_json_in_utf8_is_refused(self, body: bytes) -> None:
        with pytest.raises(InvalidWebhook, match="must be JSON in UTF-8"):
            read_webhook(body, signed(body), SETTINGS)

    @pytest.mark.parametrize("document", [None, 1, "page", [], {"object": "page"}, {"object": "page", "entry": {}}])
    def test_what_is_no_envelope_is_refused(self, document: object) -> None:
        with pytest.raises(InvalidWebhook):
            notices(document)

    def test_text_instead_of_raw_bytes_is_refused(self) -> None:
        text: Any = "{}"
        with pytest.raises(InvalidWebhook, match="raw bytes"):
            read_webhook(text, signed(b"{}"), SETTINGS)

    def test_another_products_webhooks_and_other_fields_tell_nothing(self) -> None:
        assert notices(envelope(from_person(message={"mid": "m"}), product="whatsapp_business_account")) == []
        assert notices({"object": "page", "entry": [{"id": PAGE, "time": MS, "changes": [{"field": "feed"}]}]}) == []
        assert told(from_person(pass_thread_control={"new_owner_app_id": "1"})) == []


class TestChallenge:
    SETTINGS = Settings(verify_token=SecretStr("open-é"))

    def query(self, **parts: Any) -> dict[str, Any]:
        return {"hub.mode": "subscribe", "hub.verify_token": "open-é", "hub.challenge": "1158201444"} | {
            f"hub.{name}": value for name, value in parts.items()
        }

    def test_the_right_token_is_answered_with_the_challenge(self) -> None:
        assert answer_challenge(self.query(), self.SETTINGS) == "1158201444"
        assert answer_challenge({name: [value] for name, value in self.query().items()}, self.SETTINGS) == "1158201444"

    @pytest.mark.parametrize("token", ["", "open", "open-e", "OPEN-É", ["open-é", "open-é"], None, "\ud800"])
    def test_another_token_is_refused(self, token: Any) -> None:
        with pytest.raises(BadSignature):
            answer_challenge(self.query(verify_token=token), self.SETTINGS)

    @pytest.mark.parametrize(
        "parts", [{"mode": "unsubscribe"}, {"mode": None}, {"challenge": "<script>"}, {"challenge": ""}]
    )
    def test_what_is_not_metas_question_is_refused(self, parts: dict[str, Any]) -> None:
        with pytest.raises(InvalidWebhook):
            answer_challenge(self.query(**parts), self.SETTINGS)

    def test_without_a_verify_token_of_ours_no_token_is_right(self) -> None:
        with pytest.raises(BadSettings, match="ENVOI_VERIFY_TOKEN"):
            answer_challenge(self.query(verify_token=""), Settings())


class TestNotices:
    def test_an_echo_names_the_job_behind_the_callers_own_metadata(self) -> None:
        job_id = new_job_id()
        for caller in (None, "mine"):
            message = {
                "is_echo": True,
                "mid": "m_1",
                "app_id": 1,
                "metadata": join_metadata(caller, job_id),
                "text": "x",
            }
            right = Echo(PAGE, PERSON, "m_1", AT, job_id)
            assert only(between(PAGE, PERSON, message=message)) == right
            assert only(between(PERSON, PAGE, message=message)) == right, "old pages have the sides reversed"
            assert only(between(PAGE, PERSON, message=message), product="instagram", channel="standby") == right

    @pytest.mark.parametrize("metadata", [None, "", "theirs", "envoi:not-a-job-id", 7, ["envoi:"]])
    def test_an_echo_of_others_names_no_job(self, metadata: object) -> None:
        message = {"is_echo": True, "mid": "m_1", **({} if metadata is None else {"metadata": metadata})}
        assert only(between(PAGE, PERSON, message=message)) == Echo(PAGE, PERSON, "m_1", AT, None)

    @pytest.mark.parametrize(
        "parts",
        [
            {"message": {"mid": "m_1", "text": "hello"}},
            {"postback": {"title": "x", "payload": "y"}},
            {"referral": {"ref": "x"}},
            {"reaction": {"reaction": "love", "mid": "m_1"}},
            {"optin": {"ref": "x"}},
        ],
    )
    def test_each_sign_of_life_opens_the_window(self, parts: dict[str, Any]) -> None:
        for channel in ("messaging", "standby"):
            assert only(from_person(**parts), channel=channel) == Inbound(PAGE, PERSON, AT)

    @pytest.mark.parametrize(
        "event",
        [
            {"recipient": {"id": PAGE}, "timestamp": MS, "optin": {"ref": "x", "user_ref": "u"}},
            {"sender": {"user_ref": "u"}, "recipient": {"id": PAGE}, "timestamp": MS, "postback": {"payload": "x"}},
            from_person(optin={"type": "notification_messages", "notification_messages_token": "t"}),
            from_person(message={"mid": "m", "is_deleted": True}),
        ],
    )
    def test_what_opens_nobodys_window_tells_nothing(self, event: dict[str, Any]) -> None:
        assert told(event) == []

    @pytest.mark.parametrize(
        ("time", "at"),
        [
            (MS, AT),
            (str(MS), AT),
            (1_700_000_000, 1_700_000_000.0),
            ("1700000000", 1_700_000_000.0),
            (1_700_000_000.5, 1_700_000_000.5),
        ],
    )
    def test_times_are_read_as_milliseconds_seconds_and_text(self, time: object, at: float) -> None:
        assert only({**from_person(message={"mid": "m"}), "timestamp": time}) == Inbound(PAGE, PERSON, at)

    def test_without_a_time_of_its_own_an_event_has_its_entrys(self) -> None:
        event = from_person(message={"mid": "m"})
        del event["timestamp"]
        assert only(event) == Inbound(PAGE, PERSON, AT + 1)

    def test_receipts_name_messages_or_a_time_or_both(self) -> None:
        both = only(from_person(delivery={"mids": ["m_1", "m_2"], "watermark": MS - 1000}))
        assert both == Receipt("delivered", PAGE, PERSON, AT, ("m_1", "m_2"), AT - 1)
        assert only(from_person(read={"watermark": MS})) == Receipt("read", PAGE, PERSON, AT, (), AT)
        seen = only(from_person(read={"mid": "m_1"}), product="instagram")
        assert seen == Receipt("read", PAGE, PERSON, AT, ("m_1",), None)

    @pytest.mark.parametrize("name", ["policy_enforcement", "policy-enforcement"])
    def test_enforcement_names_its_action(self, name: str) -> None:
        event = {"recipient": {"id": PAGE}, "timestamp": MS, name: {"action": "block", "reason": "it spams"}}
        assert only(event) == Enforcement(PAGE, AT, "block")

    @pytest.mark.parametrize(
        "event",
        [
            None,
            7,
            from_person(message="hello"),
            between(PAGE, PERSON, message={"is_echo": True}),
            between(PAGE, PERSON, message={"is_echo": True, "mid": "\ud800"}),
            between(PAGE, PERSON, message={"is_echo": True, "mid": "m" * 513}),
            between(PAGE, "someone", message={"is_echo": True, "mid": "m"}),
            between("someone", PAGE, message={"mid": "m"}),
            from_person(delivery={}),
            from_person(delivery={"mids": "m_1"}),
            from_person(delivery={"mids": [None]}),
            from_person(read={"watermark": "soon"}),
            {**from_person(message={"mid": "m"}), "timestamp": True},
            {**from_person(message={"mid": "m"}), "timestamp": -1},
            {**from_person(message={"mid": "m"}), "timestamp": 10**400},
            {**from_person(message={"mid": "m"}), "timestamp": "nan"},
        ],
    )
    def test_what_cannot_be_understood_is_odd_and_hides_nothing_else(self, event: object) -> None:
        odd, right = told(event, from_person(message={"mid": "m_2"}))
        assert isinstance(odd, Odd)
        assert odd.page == PAGE
        assert right == Inbound(PAGE, PERSON, AT)

    @pytest.mark.parametrize("entry", [None, {}, {"id": 7}, {"id": "a/b"}, {"id": PAGE, "messaging": {}}])
    def test_an_entry_that_cannot_be_understood_is_odd_and_hides_no_other(self, entry: Any) -> None:
        right = envelope(from_person(message={"mid": "m"}))["entry"][0]
        odd, found = notices({"object": "page", "entry": [entry, right]})
        assert isinstance(odd, Odd)
        assert isinstance(found, Inbound)

    def test_no_notice_keeps_what_people_write(self) -> None:
        events = [
            from_person(message={"mid": "m", "text": "SECRET"}),
            from_person(postback={"title": "SECRET", "payload": "SECRET"}),
            between(PAGE, PERSON, message={"is_echo": True, "mid": "m", "text": "SECRET", "metadata": "SECRET"}),
            {**from_person(message={"mid": "m", "text": "SECRET"}), "timestamp": "SECRET"},
            {
                "recipient": {"id": PAGE},
                "timestamp": MS,
                "policy_enforcement": {"action": "SECRET 1", "reason": "SECRET"},
            },
        ]
        kept = [dump(notice) for notice in told(*events)]
        assert len(kept) == len(events)
        assert "SECRET" not in "".join(kept)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = ["sender", "recipient", "timestamp", "message", "delivery", "read", "postback", "referral", "reaction", "optin"]
PARTS = st.dictionaries(
    st.sampled_from(["mid", "mids", "watermark", "is_echo", "metadata", "id", "type", "action"]), JSON
)
IDS = st.sampled_from([PAGE, PERSON, "", "x y", "\ud800", "\x00", "9" * 65])
SIDE = st.fixed_dictionaries({"id": IDS}) | JSON
EVENT = (
    st.dictionaries(st.sampled_from([*NAMES, "policy_enforcement"]), PARTS | JSON)
    | st.fixed_dictionaries({"sender": SIDE, "recipient": SIDE, "timestamp": JSON, "message": PARTS})
    | st.fixed_dictionaries({"sender": SIDE, "timestamp": st.just(MS), "delivery": PARTS, "read": PARTS})
    | JSON
)
ENTRY = (
    st.fixed_dictionaries({"id": IDS, "time": JSON, "messaging": st.lists(EVENT, max_size=5), "standby": JSON}) | JSON
)
DOCUMENT = st.fixed_dictionaries(
    {"object": st.sampled_from(["page", "instagram"]), "entry": st.lists(ENTRY, max_size=3)}
)


@settings(max_examples=EXAMPLES, deadline=None)
@given(DOCUMENT | JSON)
def test_any_document_gives_notices_or_the_one_error(document: Any) -> None:
    try:
        found = notices(document)
    except InvalidWebhook:
        return
    for notice in found:
        assert load(dump(notice)) == notice
        assert dump(notice).isascii()
        if not isinstance(notice, Odd):
            assert 0 < notice.at < 5e9


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.binary(max_size=300), st.none() | st.text(max_size=80) | st.binary(max_size=8), st.booleans())
def test_any_bytes_give_notices_or_a_documented_error(body: bytes, signature: Any, sign: bool) -> None:
    try:
        read_webhook(body, signed(body) if sign else signature, SETTINGS)
    except (BadSignature, InvalidWebhook):
        return
    assert sign


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["hub.mode", "hub.verify_token", "hub.challenge"]), st.text() | st.lists(st.text()))
)
def test_any_question_is_answered_or_refused(query: dict[str, Any]) -> None:
    answer: Callable[..., str] = answer_challenge
    try:
        answer(query, TestChallenge.SETTINGS)
    except (BadSignature, InvalidWebhook):
        return
    assert query["hub.verify_token"] in ("open-é", ["open-é"])
