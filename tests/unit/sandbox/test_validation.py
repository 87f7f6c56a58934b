"""The combination table of SEND_API 2 and the limits of SEND_API 3, row by row."""

from __future__ import annotations

import pytest

from sandbox.call import RECIPIENT_KINDS, Call
from sandbox.multipart import File
from sandbox.pages import Page
from sandbox.switches import Switches
from sandbox.validation import refusal_of
from tests.unit.sandbox.calls import FEEDBACK_FORM, INSTAGRAM, MESSENGER, action, call

IMAGE = {"type": "image", "payload": {"url": "https://example.com/x.png"}}
FEEDBACK = {"type": "template", "payload": FEEDBACK_FORM}
UTILITY = {"name": "t", "language": {"code": "en_US"}}
UPLOADED = {"type": "image", "payload": {}}
PNG = File("filedata", "image/png", 1000)


def refused(given: Call, page: Page = MESSENGER, **switches: bool) -> tuple[int, int | None, str] | None:
    refusal = refusal_of(given, page, Switches(**switches))  # type: ignore[arg-type]  # only booleans are passed here
    return None if refusal is None else (refusal.error.code, refusal.error.subcode, refusal.error.message)


@pytest.mark.parametrize(
    "given",
    [
        call(),
        call(messaging_type=None),
        call(messaging_type="UPDATE", notification_type="NO_PUSH", persona_id="5", reply_to={"mid": "m_1"}),
        call(message={"text": "x" * 2000}),
        call(message={"text": "x", "metadata": "m" * 1000}),
        call(message={"attachment": IMAGE}),
        call(message={"attachment": UPLOADED}, files=(PNG,)),
        call(message={"text": "x", "quick_replies": [{"content_type": "text", "title": "Yes"}] * 13}),
        call(messaging_type="MESSAGE_TAG", tag="HUMAN_AGENT"),
        call(messaging_type="MESSAGE_TAG", tag="CUSTOMER_FEEDBACK", message={"attachment": FEEDBACK}),
        call(messaging_type="UTILITY", message=None, template=UTILITY),
        *(call(recipient={kind: "7001"}) for kind in RECIPIENT_KINDS),
        *(action(name) for name in ("typing_on", "TYPING_ON", "typing_off", "mark_seen")),
        action("react", payload={"message_id": "m_1", "reaction": "😀"}),
        action("unreact", payload={"message_id": "m_1"}),
    ],
)
def test_what_the_facts_allow_passes(given: Call) -> None:
    assert refused(given) is None


@pytest.mark.parametrize(
    ("given", "code", "subcode", "says"),
    [
        (call(sender_action="typing_on"), 100, 2018014, "both message and state"),
        (call(message=None), 100, 2018015, "either message or state"),
        (call(message={}), 100, 2018034, "cannot be empty"),
        (call(message={"metadata": "m"}), 100, 2018034, "cannot be empty"),
        (call(message={"text": ""}), 100, 2018032, "Invalid data"),
        (call(message={"text": "x", "attachment": IMAGE}), 100, None, "Only one of"),
        (call(message={"text": "x" * 2001}), 100, None, "message[text] must be less than or equal to 2000"),
        (call(message={"text": 5}), 100, None, "message[text] must be a string"),
        (call(message={"text": "\ud800"}), 100, None, "UTF-8"),
        (call(message="hello"), 100, None, "message must be an object"),
        (call(message={"text": "x", "metadata": "m" * 1001}), 100, None, "message[metadata]"),
        (call(message={"text": "x", "metadata": {}}), 100, None, "message[metadata] must be a string"),
        (call(message={"text": "x", "quick_replies": [{}] * 14}), 105, None, "too many elements"),
        (call(message={"text": "x", "quick_replies": {}}), 100, None, "must be an array"),
        (call(message={"attachment": {"payload": {}}}), 100, None, "[attachment][type] is required"),
        (call(message={"attachment": {"type": "image"}}), 100, None, "[attachment][payload] is required"),
        (call(message={"attachment": {"type": "MEDIA_SHARE", "payload": {}}}), 100, None, "[type] must be one of"),
        (call(message={"attachment": UPLOADED}), 100, None, "exactly one file"),
        (call(message={"attachment": UPLOADED}, files=(PNG, PNG)), 100, None, "exactly one file"),
        (call(message={"attachment": IMAGE}, files=(PNG,)), 100, None, "must have one of"),
        (call(message={"attachment": UPLOADED}, files=(File("f", "", 25 * 2**20 + 1),)), 100, 2018109, "size"),
        (call(recipient=None), 100, None, "recipient is required"),
        (call(recipient="7001"), 100, None, "recipient must be an object"),
        (call(recipient={}), 100, None, "exactly one of"),
        (call(recipient={"id": "7001", "user_ref": "u"}), 100, None, "exactly one of"),
        (call(recipient={"id": "bob"}), 100, None, 'valid ID string (e.g., "123")'),
        (call(recipient={"id": 7001}), 100, None, 'valid ID string (e.g., "123")'),
        (call(recipient={"id": "٣"}), 100, None, 'valid ID string (e.g., "123")'),
        (call(recipient={"user_ref": 5}), 100, None, "recipient[user_ref] must be a string"),
        (call(messaging_type="REPLY"), 100, None, "messaging_type must be one of"),
        (call(notification_type="LOUD"), 100, None, "notification_type must be one of"),
        (call(tag="NEWS", messaging_type="MESSAGE_TAG"), 100, None, "tag must be one of"),
        (call(persona_id=5), 100, None, "persona_id"),
        (call(reply_to={"mid": ""}), 100, None, "reply_to[mid]"),
        (call(messaging_type="UTILITY"), 100, None, "template is required"),
        (call(message=None, template=UTILITY), 100, None, "needs messaging_type UTILITY"),
        (call(message={"template": UTILITY}), 100, None, "message[template] needs messaging_type UTILITY"),
        (call(messaging_type="UTILITY", message=None, template={"name": "t"}), 100, None, "template[language]"),
        (call(messaging_type="UTILITY", template=UTILITY), 100, None, "Only one of"),
        (call(message={"text": "x", "sticker_id": "7"}), 100, None, "Only one of"),
        (call(message={"sticker_id": "7", "quick_replies": [{"content_type": "user_email"}]}), 100, None, "needs"),
        (
            call(message={"attachment": {"type": "image", "payload": {"url": "example.com/x"}}}),
            100,
            None,
            "should represent a valid URL",
        ),
        (call(reply_to={"id": "m_1"}), 100, None, "reply_to[mid]"),
        (call(messaging_type="MESSAGE_TAG"), 100, None, "tag is required"),
        (call(tag="HUMAN_AGENT"), 100, None, "needs messaging_type MESSAGE_TAG"),
        (call(tag="CUSTOMER_FEEDBACK", messaging_type="MESSAGE_TAG"), 100, None, "customer feedback template"),
        (call(tag="ACCOUNT_UPDATE", messaging_type="MESSAGE_TAG"), 100, 1893061, "Invalid parameter"),
        (action("dance"), 100, None, "sender_action must be one of"),
        (action(5), 100, None, "sender_action must be one of"),
        (action("typing_on", messaging_type="RESPONSE"), 100, None, "not with messaging_type"),
        (action("react", payload={"message_id": "m_1"}), 100, None, "payload[reaction]"),
        (action("unreact"), 100, None, "payload[message_id]"),
        (action("typing_on", recipient={"comment_id": "c"}), 100, 2018048, "Sender action failed"),
    ],
)
def test_what_the_facts_forbid_is_refused_with_their_code(
    given: Call, code: int, subcode: int | None, says: str
) -> None:
    found = refused(given)
    assert found is not None
    assert found[:2] == (code, subcode)
    assert says in found[2]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (call(message={"text": "é" * 501}), "less than or equal to 1000"),
        (call(recipient={"phone_number": "+1"}), "not available for Instagram"),
        (call(recipient={"post_id": "1"}), "not available for Instagram"),
        (call(messaging_type="MESSAGE_TAG", tag="CUSTOMER_FEEDBACK", message={"attachment": FEEDBACK}), "Instagram"),
        (call(messaging_type="UTILITY", message=None, template=UTILITY), "not available for Instagram"),
        (call(persona_id="5"), "not available for Instagram"),
        (call(message={"text": "x", "quick_replies": [{"content_type": "user_email"}]}), "plain text"),
        (action("react", payload={"message_id": "m_1", "reaction": "😀"}), "must be love"),
    ],
)
def test_instagram_refuses_what_messenger_takes(given: Call, says: str) -> None:
    assert refused(given) is None
    found = refused(given, INSTAGRAM)
    assert found is not None
    assert found[0] == 100
    assert says in found[2]


@pytest.mark.parametrize(
    "given",
    [
        call(message={"text": "é" * 500}),
        call(messaging_type="MESSAGE_TAG", tag="HUMAN_AGENT"),
        call(message={"attachment": {"type": "like_heart"}}),
        action("react", payload={"message_id": "m_1", "reaction": "love"}),
        action("typing_on"),
    ],
)
def test_instagram_takes_what_is_documented_for_it(given: Call) -> None:
    assert refused(given, INSTAGRAM) is None


def test_the_switch_makes_retired_tags_valid_again() -> None:
    given = call(messaging_type="MESSAGE_TAG", tag="POST_PURCHASE_UPDATE")
    assert refused(given, tags_retired=False) is None
    assert refused(given, INSTAGRAM, tags_retired=False) is not None
