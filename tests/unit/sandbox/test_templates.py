"""Templates, buttons, quick replies and pictures: the limits of SEND_API 3, row by row."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.call import Call
from sandbox.multipart import File
from sandbox.pages import Page
from sandbox.switches import Switches
from sandbox.validation import refusal_of
from tests.unit.sandbox.calls import FEEDBACK_FORM, INSTAGRAM, MESSENGER, call

Pair = tuple[int, int | None]
URL = "https://example.com/x"
OPEN = {"type": "web_url", "title": "Open", "url": URL}
TAP = {"type": "postback", "title": "Tap", "payload": "P"}
QUESTION = {"id": "q_1", "type": "csat"}
RECEIPT = {
    "template_type": "receipt",
    "recipient_name": "Ada",
    "order_number": "1",
    "currency": "EUR",
    "payment_method": "Visa",
    "summary": {"total_cost": 1},
}


def refused(given: Call, page: Page = MESSENGER, **switches: Any) -> Pair | None:
    refusal = refusal_of(given, page, Switches(**switches))
    return None if refusal is None else (refusal.error.code, refusal.error.subcode)


def template(kind: str, **payload: object) -> Call:
    return call(message={"attachment": {"type": "template", "payload": {"template_type": kind, **payload}}})


def cards(*elements: object) -> Call:
    return template("generic", elements=list(elements))


def card(**fields: object) -> dict[str, object]:
    return {"title": "t", "subtitle": "s", **fields}


def buttons(*given: object) -> Call:
    return template("button", text="which?", buttons=list(given))


def replies(*given: object) -> Call:
    return call(message={"text": "which?", "quick_replies": list(given)})


def feedback(**fields: object) -> Call:
    return template("customer_feedback", **{k: v for k, v in (FEEDBACK_FORM | fields).items() if k != "template_type"})


def pictures(number: int, kind: str = "image") -> Call:
    return call(message={"attachments": [{"type": kind, "payload": {"url": URL}}] * number})


def upload(kind: str, content_type: str) -> Call:
    return call(message={"attachment": {"type": kind, "payload": {}}}, files=(File("filedata", content_type, 9),))


@pytest.mark.parametrize(
    "given",
    [
        cards(*[card(title="t" * 80, subtitle="s" * 80, buttons=[OPEN, TAP, TAP])] * 10),
        cards({"title": "t", "image_url": URL}),
        cards({"title": "t", "default_action": {"type": "web_url", "url": URL}}),
        template("button", text="x" * 640, buttons=[OPEN | {"title": "t" * 20}]),
        buttons(TAP | {"payload": "p" * 1000}, {"type": "phone_number", "title": "Call", "payload": "+15105551234"}),
        buttons({"type": "account_link", "url": URL}, {"type": "account_unlink"}),
        template("media", elements=[{"media_type": "image", "attachment_id": "1", "buttons": [OPEN]}]),
        call(message={"attachment": {"type": "template", "payload": RECEIPT | {"elements": [{}] * 100}}}),
        template("product", elements=[{"id": "1"}] * 10),
        template("coupon", title="10 %", coupon_url=URL),
        feedback(expires_in_days=7, title="t" * 65, subtitle="s" * 80, button_title="b" * 20),
        template("image_grid", images=[{}] * 6),
        template("one_time_notif_req", title="t" * 65, payload="P"),
        replies({"content_type": "user_email"}, {"content_type": "text", "title": "t" * 20, "payload": "p" * 1000}),
        pictures(30),
        upload("image", "image/png"),
        upload("file", "image/png"),
        upload("video", ""),
    ],
)
def test_what_the_facts_allow_passes(given: Call) -> None:
    assert refused(given) is None


@pytest.mark.parametrize(
    ("given", "pair"),
    [
        (template(""), (100, None)),
        (template("list"), (100, None)),
        (template("newest"), (100, None)),
        (cards(), (194, None)),
        (cards(*[card()] * 11), (105, None)),
        (template("generic"), (100, None)),
        (template("generic", elements={}), (100, None)),
        (template("generic", elements=["x"]), (100, None)),
        (cards({"title": "t"}), (100, None)),
        (cards({"subtitle": "s"}), (100, None)),
        (cards(card(title="t" * 81)), (100, None)),
        (cards(card(subtitle="s" * 81)), (100, None)),
        (cards(card(buttons=[OPEN] * 4)), (105, None)),
        (cards(card(default_action={"type": "postback"})), (100, None)),
        (cards(card(default_action=OPEN)), (100, None)),
        (cards(card(image_url="x")), (100, None)),
        (buttons(), (194, None)),
        (buttons(*[OPEN] * 4), (105, None)),
        (template("button", text="x" * 641, buttons=[OPEN]), (100, None)),
        (template("button", buttons=[OPEN]), (100, None)),
        (buttons(OPEN | {"title": ""}), (100, 2018053)),
        (buttons(OPEN | {"title": "t" * 21}), (100, None)),
        (buttons(OPEN | {"url": ""}), (100, 2018041)),
        (buttons(OPEN | {"url": "x"}), (100, None)),
        (buttons(OPEN | {"url": "http://[x"}), (100, None)),
        (buttons(TAP | {"payload": ""}), (100, 2018040)),
        (buttons(TAP | {"payload": "p" * 1001}), (100, None)),
        (buttons(TAP | {"type": "dance"}), (100, None)),
        (buttons({"type": "phone_number", "title": "Call", "payload": "0800"}), (100, None)),
        (template("media", elements=[{"media_type": "audio", "attachment_id": "1"}]), (100, None)),
        (template("media", elements=[{"media_type": "image", "attachment_id": "1", "url": URL}]), (100, None)),
        (template("media", elements=[{"media_type": "image"}] * 2), (105, None)),
        (template("receipt"), (100, None)),
        (call(message={"attachment": {"type": "template", "payload": RECEIPT | {"summary": {}}}}), (100, None)),
        (
            call(message={"attachment": {"type": "template", "payload": RECEIPT | {"elements": [{}] * 101}}}),
            (105, None),
        ),
        (template("product", elements=[{}]), (100, None)),
        (template("product", elements=[{"id": "1"}] * 11), (105, None)),
        (template("coupon"), (100, None)),
        (feedback(title="see www.example.com"), (100, None)),
        (feedback(title="t" * 66), (100, None)),
        (feedback(expires_in_days=8), (100, None)),
        (feedback(business_privacy={}), (100, None)),
        (feedback(feedback_screens=[{"questions": [QUESTION] * 2}]), (105, None)),
        (feedback(feedback_screens=[{"questions": [QUESTION | {"type": "poll"}]}]), (100, None)),
        (feedback(feedback_screens=[{"questions": [QUESTION | {"id": "q 1"}]}]), (100, None)),
        (feedback(feedback_screens=[{"questions": [QUESTION | {"title": "abcd"}]}]), (100, None)),
        (template("image_grid", images=[{}]), (194, None)),
        (template("one_time_notif_req", title="t" * 66, payload="P"), (100, None)),
        (replies({"content_type": "location"}), (100, None)),
        (replies({"content_type": "text"}), (100, None)),
        (replies({"content_type": "text", "title": "t" * 21}), (100, None)),
        (replies({"content_type": "text", "title": "t", "payload": "p" * 1001}), (100, None)),
        (pictures(31), (105, None)),
        (pictures(2, "video"), (100, None)),
        (upload("image", "video/mp4"), (100, 2018047)),
    ],
)
def test_what_the_facts_forbid_is_refused_with_their_code(given: Call, pair: Pair) -> None:
    assert refused(given) == pair


@pytest.mark.parametrize(
    "given",
    [
        template("coupon", title="10 %"),
        feedback(),
        buttons({"type": "phone_number", "title": "Call", "payload": "+15105551234"}),
        pictures(11),
        call(
            message={
                "attachment": {"type": "image", "payload": {"url": URL}},
                "quick_replies": [{"content_type": "text", "title": "t"}],
            }
        ),
    ],
)
def test_instagram_refuses_what_messenger_takes(given: Call) -> None:
    assert refused(given) is None
    assert refused(given, INSTAGRAM) in ((100, None), (105, None))


@pytest.mark.parametrize(
    "given",
    [cards(card(buttons=[OPEN, TAP])), pictures(10), replies({"content_type": "text", "title": "t" * 21})],
)
def test_instagram_takes_what_is_documented_for_it(given: Call) -> None:
    assert refused(given, INSTAGRAM) is None


def test_the_switch_lets_newer_templates_pass() -> None:
    assert refused(template("newest", anything=1), unknown_templates="allow") is None
    assert refused(template("coupon"), unknown_templates="allow") == (100, None)
