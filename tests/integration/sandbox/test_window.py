"""The window, with the clock in the test's hand (SEND_API 2)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.sandbox.client import INSTAGRAM, INSTAGRAM_TOKEN, PAGE, TOKEN, Client
from tests.unit.sandbox.calls import FEEDBACK_FORM

DAY = 86_400
PERSON = "7001"
FEEDBACK = {"attachment": {"type": "template", "payload": FEEDBACK_FORM}}


@pytest.fixture
def enforced(client: Client) -> Client:
    client.control("PUT", "switches", {"window": "enforce", "tags_retired": False})
    return client


def writes(client: Client, page: str = PAGE) -> None:
    client.control("POST", "messages", {"page": page, "recipient": PERSON, "from": "person", "text": "hello?"})


def refusal(client: Client, token: str = TOKEN, **parameters: Any) -> tuple[int, int | None] | None:
    usual: dict[str, Any] = {"recipient": {"id": PERSON}, "message": {"text": "a"}, "messaging_type": "RESPONSE"}
    answer = client.call(token=token, **{name: v for name, v in (usual | parameters).items() if v is not None})
    return answer.error if "error" in answer.json else None


def tagged(tag: str, **more: Any) -> dict[str, Any]:
    return {"messaging_type": "MESSAGE_TAG", "tag": tag, **more}


@pytest.mark.parametrize(
    ("page", "token", "subcode"), [(PAGE, TOKEN, 2018278), (INSTAGRAM, INSTAGRAM_TOKEN, 2534022)], ids=["page", "ig"]
)
def test_a_message_passes_for_24_hours_after_the_persons_last(
    enforced: Client, page: str, token: str, subcode: int
) -> None:
    writes(enforced, page)
    enforced.control("POST", "clock/advance", {"seconds": DAY - 30})
    assert refusal(enforced, token) is None
    enforced.control("POST", "clock/advance", {"seconds": 31})
    assert refusal(enforced, token) == (10, subcode)
    assert refusal(enforced, token, **tagged("HUMAN_AGENT")) is None
    assert refusal(enforced, token, message=None, messaging_type=None, sender_action="typing_on") is None
    writes(enforced, page)
    assert refusal(enforced, token) is None
    enforced.control("POST", "clock/advance", {"seconds": 7 * DAY + 1})
    assert refusal(enforced, token, **tagged("HUMAN_AGENT")) == (10, subcode)


def test_the_feedback_template_has_7_days_and_utility_and_other_tags_have_no_limit(enforced: Client) -> None:
    writes(enforced)
    enforced.control("POST", "clock/advance", {"seconds": 7 * DAY - 30})
    feedback = tagged("CUSTOMER_FEEDBACK", message=FEEDBACK)
    assert refusal(enforced, messaging_type="UPDATE") == (10, 2018278)
    assert refusal(enforced, **feedback) is None
    enforced.control("POST", "clock/advance", {"seconds": 31})
    assert refusal(enforced, **feedback) == (10, 2018278)
    assert refusal(enforced, **tagged("ACCOUNT_UPDATE")) is None
    utility = {"name": "order_ready", "language": {"code": "en_US"}}
    assert refusal(enforced, messaging_type="UTILITY", message={"template": utility}) is None
    assert refusal(enforced, **tagged("ACCOUNT_UPDATE", reply_to={"mid": "m_1"})) == (10, 2018278)


@pytest.mark.parametrize(
    ("happening", "opens"),
    [
        ({"kind": "postback"}, True),
        ({"kind": "referral"}, True),
        ({"kind": "reaction", "message_id": "m_1"}, True),
        ({"kind": "notification_optin", "token": "t"}, False),
        ({"kind": "read"}, False),
    ],
)
def test_some_deeds_open_the_window_and_some_do_not(enforced: Client, happening: dict[str, Any], opens: bool) -> None:
    writes(enforced)
    enforced.control("POST", "clock/advance", {"seconds": 2 * DAY})
    enforced.control("POST", "happenings", {"page": PAGE, "recipient": PERSON, **happening})
    assert refusal(enforced) == (None if opens else (10, 2018278))


def test_a_message_of_the_page_opens_nothing(enforced: Client) -> None:
    writes(enforced)
    enforced.control("POST", "clock/advance", {"seconds": DAY - 10})
    assert refusal(enforced) is None
    enforced.control("POST", "clock/advance", {"seconds": 11})
    assert refusal(enforced) == (10, 2018278)


def test_people_who_never_did_anything_are_let_through_or_not(enforced: Client) -> None:
    assert refusal(enforced) is None
    enforced.control("PUT", "switches", {"window": "enforce", "unknown_conversations": "refuse"})
    assert refusal(enforced) == (10, 2018278)
    assert refusal(enforced, recipient={"user_ref": "r"}) is None


def test_the_window_is_off_unless_asked_for(client: Client) -> None:
    writes(client)
    client.control("POST", "clock/advance", {"seconds": 30 * DAY})
    assert refusal(client) is None
