"""Every limit and combination of the Send API at the door: at the limit, and one over."""

from __future__ import annotations

import json
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envoi import InvalidJob, Job
from envoi.sendapi.size import DEPTH_LIMIT, OBJECT_LIMIT
from envoi.sendapi.tags import RETIRED, RetiredTag

URL = "https://example.org/a"
POSTBACK = {"type": "postback", "title": "t", "payload": "p"}
WEB = {"type": "web_url", "title": "t", "url": URL}
ELEMENT = {"title": "t", "subtitle": "s"}
RECEIPT = {
    "template_type": "receipt",
    "recipient_name": "Ada",
    "order_number": "1",
    "currency": "EUR",
    "payment_method": "Visa",
    "summary": {"total_cost": 1.5},
}
QUESTION = {"id": "q_1", "type": "csat"}
FEEDBACK = {
    "template_type": "customer_feedback",
    "title": "t",
    "feedback_screens": [{"questions": [QUESTION]}],
    "business_privacy": {"url": URL},
}
UTILITY = {"name": "order", "language": {"code": "en_US"}, "components": [{"type": "body", "parameters": []}]}
PAYLOAD = "message.attachment.payload"


def template(payload: dict[str, Any]) -> dict[str, Any]:
    return {"attachment": {"type": "template", "payload": payload}}


def media(kind: str = "image", **payload: Any) -> dict[str, Any]:
    return {"attachment": {"type": kind, "payload": payload}}


def generic(*elements: dict[str, Any]) -> dict[str, Any]:
    return template({"template_type": "generic", "elements": list(elements)})


def button(*buttons: dict[str, Any], text: str = "x") -> dict[str, Any]:
    return template({"template_type": "button", "text": text, "buttons": list(buttons)})


def images(number: int) -> dict[str, Any]:
    return {"attachments": [{"type": "image", "payload": {"url": URL}}] * number}


def replies(number: int, **more: Any) -> dict[str, Any]:
    return {"text": "x", "quick_replies": [{"content_type": "text", "title": "t", "payload": "p", **more}] * number}


def feedback(**more: Any) -> dict[str, Any]:
    return template({**FEEDBACK, **more})


def question(**more: Any) -> dict[str, Any]:
    return feedback(feedback_screens=[{"questions": [{**QUESTION, **more}]}])


def receipt(**more: Any) -> dict[str, Any]:
    return template({**RECEIPT, **more})


def job(message: Any = "x", recipient: Any = "7", **more: Any) -> Job:
    return Job(page="1", recipient=recipient, message=message, **more)


def refused(message: Any = "x", recipient: Any = "7", **more: Any) -> dict[str, str]:
    with pytest.raises(InvalidJob) as caught:
        job(message, recipient, **more)
    assert all(problem.limit for problem in caught.value.problems)
    return {problem.field: problem.limit for problem in caught.value.problems}


TAKEN: list[Any] = [
    {"text": "x" * 2000},
    *(media(kind, url=URL) for kind in ("audio", "file", "image", "video")),
    media(attachment_id="12", is_reusable=False),
    images(30),
    {"sticker_id": "369"},
    replies(13),
    replies(1, title="t" * 20, payload="p" * 1000, image_url=URL),
    {"text": "x", "quick_replies": [{"content_type": "user_email"}, {"content_type": "user_phone_number"}]},
    {**images(1), "quick_replies": replies(1)["quick_replies"]},
    generic(*[ELEMENT] * 10),
    generic({"title": "t" * 80, "subtitle": "s" * 80, "image_url": URL, "buttons": [POSTBACK] * 3}),
    generic({"title": "t", "default_action": {"type": "web_url", "url": URL}}),
    button(WEB, POSTBACK, {"type": "phone_number", "title": "t", "payload": "+15551234567"}, text="x" * 640),
    button({"type": "account_link", "url": URL}, {"type": "account_unlink"}),
    button({"type": "game_play", "title": "t", "game_metadata": {"player_id": "1"}}),
    button({"type": "audio_call", "title": "t"}),
    button({**POSTBACK, "title": "t" * 20, "payload": "p" * 1000}),
    template({"template_type": "media", "elements": [{"media_type": "video", "url": "https://www.facebook.com/v/1"}]}),
    template({"template_type": "media", "elements": [{"media_type": "image", "attachment_id": "1"}]}),
    receipt(elements=[{"title": "t", "price": 3, "quantity": 1}] * 100, timestamp="1428444852"),
    template({"template_type": "product", "elements": [{"id": "1"}] * 10}),
    template({"template_type": "coupon", "title": "t", "coupon_code": "c"}),
    feedback(title="t" * 65, subtitle="s" * 80, button_title="b" * 20, expires_in_days=7),
    question(id="q" * 80, title="t" * 85, follow_up={"type": "free_form", "placeholder": "p" * 400}),
    question(title="t" * 5),
    template({"template_type": "image_grid", "title": "t" * 45, "subtitle": "s" * 80, "images": [{"url": URL}] * 6}),
    template({"template_type": "image_grid", "elements": [{"url": URL}] * 2, "buttons": [WEB] * 3}),
]


@pytest.mark.parametrize("message", TAKEN)
def test_a_message_at_its_limits_is_taken_and_kept_as_it_was_given(message: dict[str, Any]) -> None:
    assert json.loads(job(message).payload("J"))["message"] == message


ONE_OVER: list[tuple[Any, str, str]] = [
    ({"text": "x" * 2001}, "message.text", "at most 2000 characters"),
    ({}, "message", "must have exactly one of text, attachment"),
    ({"metadata": "m"}, "message", "must have exactly one of"),
    ({"text": "x", **media(url=URL)}, "message", "must have exactly one of"),
    ({"text": "x", "sticker_id": "1"}, "message", "must have exactly one of"),
    ({**images(1), **media(url=URL)}, "message", "must have exactly one of"),
    ({"sticker_id": "s"}, "message.sticker_id", "must be a string of 1 to 64 digits"),
    ({"sticker_id": "1", "quick_replies": replies(1)["quick_replies"]}, "message.quick_replies", "only go with"),
    (images(31), "message.attachments", "at most 30 elements"),
    (images(0), "message.attachments", "at least 1 element"),
    ({"attachments": [media("video", url=URL)["attachment"]]}, "message.attachments.0.type", "must be 'image'"),
    (media(), PAYLOAD, "must have exactly one of url, attachment_id"),
    (media(url=URL, attachment_id="1"), PAYLOAD, "must have exactly one of url, attachment_id"),
    (media(url="ftp://example.org"), f"{PAYLOAD}.url", "must be an address"),
    (media(url=""), f"{PAYLOAD}.url", "must be an address"),
    (media("gif", url=URL), "message.attachment.type", "must be 'audio', 'file', 'image', 'video'"),
    ({"attachment": {"payload": {}}}, "message.attachment.type", "must be 'audio'"),
    ({"attachment": {"type": "image"}}, PAYLOAD, "is required"),
    ({"attachment": "image"}, "message.attachment.type", "must be 'audio'"),
    (replies(14), "message.quick_replies", "at most 13 elements"),
    (replies(0), "message.quick_replies", "at least 1 element"),
    (replies(1, title="t" * 21), "message.quick_replies.0.title", "at most 20 characters"),
    (replies(1, title=None), "message.quick_replies.0.title", "is required with content_type text"),
    (replies(1, payload="p" * 1001), "message.quick_replies.0.payload", "at most 1000 characters"),
    (replies(1, content_type="location"), "message.quick_replies.0.content_type", "must be 'text'"),
    (generic(), f"{PAYLOAD}.elements", "at least 1 element"),
    (generic(*[ELEMENT] * 11), f"{PAYLOAD}.elements", "at most 10 elements"),
    (generic({"title": "t"}), f"{PAYLOAD}.elements.0", "must have at least one field besides title"),
    (generic({**ELEMENT, "title": "t" * 81}), f"{PAYLOAD}.elements.0.title", "at most 80 characters"),
    (generic({**ELEMENT, "subtitle": "t" * 81}), f"{PAYLOAD}.elements.0.subtitle", "at most 80 characters"),
    (generic({"title": "t", "buttons": [WEB] * 4}), f"{PAYLOAD}.elements.0.buttons", "at most 3 elements"),
    (generic({"title": "t", "default_action": WEB}), f"{PAYLOAD}.elements.0.default_action.title", "is not a param"),
    (button(WEB, text="x" * 641), f"{PAYLOAD}.text", "at most 640 characters"),
    (button(), f"{PAYLOAD}.buttons", "at least 1 element"),
    (button(*[WEB] * 4), f"{PAYLOAD}.buttons", "at most 3 elements"),
    (button({**POSTBACK, "title": ""}), f"{PAYLOAD}.buttons.0.title", "must not be empty"),
    (button({**POSTBACK, "title": "t" * 21}), f"{PAYLOAD}.buttons.0.title", "at most 20 characters"),
    (button({**POSTBACK, "payload": ""}), f"{PAYLOAD}.buttons.0.payload", "must not be empty"),
    (button({**POSTBACK, "payload": "p" * 1001}), f"{PAYLOAD}.buttons.0.payload", "at most 1000 characters"),
    (button({**WEB, "url": "example.org"}), f"{PAYLOAD}.buttons.0.url", "must be an address"),
    (button({**POSTBACK, "type": "phone_number"}), f"{PAYLOAD}.buttons.0.payload", "must be a number such as +1555"),
    (button({**POSTBACK, "type": "element_share"}), f"{PAYLOAD}.buttons.0.type", "must be 'web_url', 'postback'"),
    (receipt(currency="eur"), f"{PAYLOAD}.currency", "must be three capital letters"),
    (receipt(summary={}), f"{PAYLOAD}.summary.total_cost", "is required"),
    (receipt(summary={"total_cost": float("nan")}), f"{PAYLOAD}.summary.total_cost", "must be a number"),
    (receipt(summary={"total_cost": True}), f"{PAYLOAD}.summary.total_cost", "must be a number"),
    (receipt(elements=[{"title": "t"}] * 101), f"{PAYLOAD}.elements", "at most 100 elements"),
    (receipt(timestamp="yesterday"), f"{PAYLOAD}.timestamp", "must be seconds since 1970"),
    (template({"template_type": "product", "elements": [{"id": "1"}] * 11}), f"{PAYLOAD}.elements", "at most 10"),
    (template({"template_type": "coupon"}), f"{PAYLOAD}.title", "is required"),
    (feedback(title="t" * 66), f"{PAYLOAD}.title", "at most 65 characters"),
    (feedback(title="see www.example.org"), f"{PAYLOAD}.title", "must not contain an address"),
    (feedback(subtitle="s" * 81), f"{PAYLOAD}.subtitle", "at most 80 characters"),
    (feedback(button_title="b" * 21), f"{PAYLOAD}.button_title", "at most 20 characters"),
    (feedback(expires_in_days=0), f"{PAYLOAD}.expires_in_days", "must be at least 1"),
    (feedback(expires_in_days=8), f"{PAYLOAD}.expires_in_days", "must be at most 7"),
    (feedback(feedback_screens=[]), f"{PAYLOAD}.feedback_screens", "at least 1 element"),
    (feedback(feedback_screens=[{"questions": [QUESTION]}] * 2), f"{PAYLOAD}.feedback_screens", "at most 1"),
    (question(id="q" * 81), f"{PAYLOAD}.feedback_screens.0.questions.0.id", "must be digits; of a question"),
    (question(title="t" * 4), f"{PAYLOAD}.feedback_screens.0.questions.0.title", "at least 5 characters"),
    (question(title="t" * 86), f"{PAYLOAD}.feedback_screens.0.questions.0.title", "at most 85 characters"),
    (template({"template_type": "image_grid", "images": [{}]}), f"{PAYLOAD}.images", "at least 2 elements"),
    (template({"template_type": "image_grid", "images": [{}] * 7}), f"{PAYLOAD}.images", "at most 6 elements"),
    (template({"template_type": "image_grid", "title": "t"}), PAYLOAD, "must have exactly one of images, elements"),
    (
        template({"template_type": "media", "elements": [{"media_type": "image", "url": URL}]}),
        f"{PAYLOAD}.elements.0.url",
        "must be an address",
    ),
    (template({"template_type": "list"}), f"{PAYLOAD}.template_type", "must be one of generic, button"),
    (template({}), f"{PAYLOAD}.template_type", "must be 'generic', 'button'"),
]


@pytest.mark.parametrize(("message", "field", "limit"), ONE_OVER)
def test_a_message_one_over_its_limit_is_refused_with_field_and_limit(message: Any, field: str, limit: str) -> None:
    found = refused(message)
    assert list(found) == [field]
    assert found[field].startswith(limit)


@pytest.mark.parametrize(
    ("recipient", "kind", "key"),
    [
        ({"id": "7"}, "id", "7"),
        ({"user_ref": "u/1"}, "user_ref", "u/1"),
        ({"comment_id": "1_2"}, "comment_id", "1_2"),
        ({"post_id": "1_2"}, "post_id", "1_2"),
        ({"phone_number": "+1(212)555-2368"}, "phone_number", "+12125552368"),
        (
            {"phone_number": "+1 212 555 2368", "name": {"first_name": "A", "last_name": "B"}},
            "phone_number",
            "+12125552368",
        ),
        ({"notification_messages_token": "t"}, "notification_messages_token", "t"),
        ({"one_time_notif_token": "t"}, "one_time_notif_token", "t"),
    ],
)
def test_a_recipient_of_every_kind_is_taken_and_tells_its_conversation(
    recipient: dict[str, Any], kind: str, key: str
) -> None:
    made = job(recipient=recipient)
    assert (made.recipient.kind, made.recipient.key) == (kind, key)
    assert json.loads(made.payload("J"))["recipient"] == recipient


@pytest.mark.parametrize(
    ("recipient", "field"),
    [
        ({"user_ref": ""}, "recipient.user_ref"),
        ({"user_ref": "é" * 501}, "recipient.user_ref"),  # 1002 bytes: too long for an index of the log
        ({"comment_id": "c"}, "recipient.comment_id"),
        ({"phone_number": "call me"}, "recipient.phone_number"),
        ({"id": "7", "comment_id": "1_2"}, "recipient"),
        ({"id": "7", "name": {"first_name": "A", "last_name": "B"}}, "recipient.name"),
        ({"phone_number": "+12125552368", "name": {"first_name": "A"}}, "recipient.name.last_name"),
        ({"name": {"first_name": "A", "last_name": "B"}}, "recipient"),
    ],
)
def test_a_recipient_that_meta_would_not_know_is_refused(recipient: dict[str, Any], field: str) -> None:
    assert list(refused(recipient=recipient)) == [field]


COUPON = template({"template_type": "coupon", "title": "t"})
TAGGED = {"messaging_type": "MESSAGE_TAG"}


@pytest.mark.parametrize(
    ("message", "more", "field"),
    [
        ("x", TAGGED, "tag"),
        ("x", {"tag": "HUMAN_AGENT"}, "tag"),
        ("x", {"tag": "HUMAN_AGENT", "messaging_type": "UPDATE"}, "tag"),
        ("x", {**TAGGED, "tag": "CUSTOMER_FEEDBACK"}, "tag"),
        ("x", {**TAGGED, "tag": "HUMAN_AGENT", "lane": "bulk"}, "lane"),
        (COUPON, {**TAGGED, "tag": "HUMAN_AGENT"}, f"{PAYLOAD}.template_type"),
        ("x", {"messaging_type": "UTILITY"}, "message.template"),
        ({"template": UTILITY}, {}, "message.template"),
        ("x", {"template": UTILITY}, "template"),
        ({"attachment": {"type": "like_heart"}}, {}, "message.attachment.type"),
        ({"attachment": {"type": "MEDIA_SHARE", "payload": {"id": "1"}}}, {}, "message.attachment.type"),
    ],
)
def test_what_does_not_go_together_is_refused(message: Any, more: dict[str, Any], field: str) -> None:
    assert list(refused(message, **more)) == [field]


@pytest.mark.parametrize(
    ("message", "more"),
    [
        ("x", {**TAGGED, "tag": "HUMAN_AGENT"}),
        (feedback(), {**TAGGED, "tag": "CUSTOMER_FEEDBACK"}),
        (COUPON, {"messaging_type": "UPDATE", "lane": "bulk"}),
        ({"template": UTILITY}, {"messaging_type": "UTILITY"}),
    ],
)
def test_what_goes_together_is_taken(message: Any, more: dict[str, Any]) -> None:
    job(message, **more)


def test_a_utility_template_may_stand_at_the_top() -> None:
    top = Job(page="1", recipient="7", template=UTILITY, messaging_type="UTILITY")
    assert top == job({"template": UTILITY}, messaging_type="UTILITY")


INSTAGRAM_REFUSES: list[tuple[Any, dict[str, Any], str]] = [
    ("é" * 501, {}, "message.text"),
    (images(11), {}, "message.attachments"),
    (replies(1, image_url=URL), {}, "message.quick_replies.0"),
    (receipt(), {}, f"{PAYLOAD}.template_type"),
    (button(WEB, {"type": "account_unlink"}), {}, f"{PAYLOAD}.buttons.1.type"),
    (
        generic({**ELEMENT, "buttons": [{"type": "audio_call", "title": "t"}]}),
        {},
        f"{PAYLOAD}.elements.0.buttons.0.type",
    ),
    ({"template": UTILITY}, {"messaging_type": "UTILITY"}, "message.template"),
    ("x", {"recipient": {"post_id": "1_2"}}, "recipient.post_id"),
    ("x", {"recipient": {"user_ref": "u"}}, "recipient.user_ref"),
    ("x", {"recipient": {"phone_number": "+12125552368"}}, "recipient.phone_number"),
    (feedback(), {**TAGGED, "tag": "CUSTOMER_FEEDBACK"}, "tag"),
    ("x", {"persona_id": "1"}, "persona_id"),
]


@pytest.mark.parametrize(("message", "more", "field"), INSTAGRAM_REFUSES)
def test_instagram_refuses_what_messenger_takes(message: Any, more: dict[str, Any], field: str) -> None:
    job(message, **more)
    assert field in refused(message, platform="instagram", **more)


@pytest.mark.parametrize(
    ("message", "more"),
    [
        ("é" * 500, {}),
        (images(10), {}),
        (replies(13), {}),
        (button(WEB, POSTBACK), {}),
        (generic({**ELEMENT, "buttons": [WEB]}), {}),
        (template({"template_type": "product", "elements": [{"id": "1"}]}), {}),
        ({"attachment": {"type": "MEDIA_SHARE", "payload": {"id": "1"}}}, {}),
        ({"attachment": {"type": "like_heart"}}, {}),
        ("x", {"recipient": {"comment_id": "17"}}),
        ("x", {**TAGGED, "tag": "HUMAN_AGENT"}),
    ],
)
def test_instagram_takes_what_is_its_own(message: Any, more: dict[str, Any]) -> None:
    assert json.loads(job(message, platform="instagram", **more).payload("J"))["platform"] == "instagram"


def test_many_problems_are_told_at_once() -> None:
    found = refused(
        generic({"title": "t" * 81, "buttons": [{"type": "swipe"}, {**WEB, "title": ""}]}), {"id": "Ada"}, tag="NEWS"
    )
    path = f"{PAYLOAD}.elements.0"
    assert list(found) == ["recipient.id", f"{path}.title", f"{path}.buttons.0.type", f"{path}.buttons.1.title", "tag"]


@pytest.mark.parametrize("tag", sorted(RETIRED))
def test_a_retired_tag_is_taken_with_a_warning(tag: str) -> None:
    with pytest.warns(RetiredTag, match="messaging_type UTILITY"):
        job(messaging_type="MESSAGE_TAG", tag=tag)


def test_a_retired_tag_is_refused_where_settings_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVOI_RETIRED_TAGS", "refuse")
    assert "2026-04-27" in refused(messaging_type="MESSAGE_TAG", tag="ACCOUNT_UPDATE")["tag"]


def test_a_retired_tag_passes_silently_where_settings_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVOI_RETIRED_TAGS", "allow")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        job(messaging_type="MESSAGE_TAG", tag="ACCOUNT_UPDATE")


NEWEST = {"template_type": "newest", "cards": [{"a": 1, "b": None, "c": [True, 1.5, "é"]}]}


def test_an_unknown_template_passes_only_with_the_switch_and_unchanged() -> None:
    assert "allow_unknown=True" in refused(template(NEWEST))[f"{PAYLOAD}.template_type"]
    payload = job(template(NEWEST), allow_unknown=True).payload("J")
    assert json.loads(payload)["message"] == template(NEWEST)


@pytest.mark.parametrize("value", ["a\x00", "a\ud800", float("inf"), 10**30, b"x", {1: 2}, {"\x00": 1}, object()])
def test_an_unknown_template_holds_nothing_but_plain_json(value: object) -> None:
    assert refused(template({**NEWEST, "x": value}), allow_unknown=True)


def test_a_known_template_is_checked_all_the_same() -> None:
    assert list(refused(button(WEB, text=""), allow_unknown=True)) == [f"{PAYLOAD}.text"]


def nested(depth: int) -> dict[str, Any]:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return template({"template_type": "newest", "x": value})


def test_depth_and_size_are_bounded() -> None:
    job(nested(DEPTH_LIMIT - 3), allow_unknown=True)
    assert refused(nested(DEPTH_LIMIT - 2), allow_unknown=True)["message"].startswith(f"at most {DEPTH_LIMIT} objects")
    assert refused({"text": "x" * OBJECT_LIMIT})["message"].startswith(f"at most {OBJECT_LIMIT} characters")


def test_a_structure_without_end_is_refused_at_once() -> None:
    endless: dict[str, Any] = {}
    endless["x"] = endless
    wide: Any = 1
    for _ in range(DEPTH_LIMIT - 1):
        wide = [wide] * 1000
    assert list(refused(endless)) == list(refused({"text": wide})) == ["message"]


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(categories=["Cs", "Cc", "L"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def spoilt(draw: st.DrawFn) -> Any:
    """A good message in which one value, anywhere, has been replaced by something odd."""
    message = json.loads(json.dumps(draw(st.sampled_from(TAKEN))))
    place: Any = message
    while True:
        inside = place.items() if isinstance(place, dict) else enumerate(place)
        at = draw(st.sampled_from([key for key, _ in inside]))
        if not place[at] or not isinstance(place[at], dict | list) or draw(st.booleans()):
            place[at] = draw(JSON)
            return message
        place = place[at]


def answered(message: Any, unknown: bool) -> Job | InvalidJob:
    try:
        return job(message, allow_unknown=unknown)
    except InvalidJob as error:
        return error


@given(spoilt() | JSON, st.booleans())
def test_whatever_a_message_is_it_is_refused_in_words_or_can_be_sent(message: Any, unknown: bool) -> None:
    made = answered(message, unknown)
    if isinstance(made, InvalidJob):
        assert made.problems
        assert all(problem.field and problem.limit for problem in made.problems)
    else:
        payload = made.payload("J")
        payload.encode()
        assert "\x00" not in payload
        again = json.loads(payload)
        assert job(again["message"], allow_unknown=unknown).digest() == made.digest()
