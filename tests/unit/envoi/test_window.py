"""How long after a person's last sign of life each kind of message may go out (SEND_API 2)."""

from __future__ import annotations

import json
import warnings
from typing import Any

import pytest

from envoi.job import Job
from envoi.queue.webhook_questions import _rule, joined
from envoi.window import STANDARD, TAGGED, window_rule


@pytest.mark.parametrize(
    ("parameters", "rule"),
    [
        ({"recipient": {"id": "7"}}, STANDARD),
        ({"recipient": {"id": "7"}, "messaging_type": "RESPONSE"}, STANDARD),
        ({"recipient": {"id": "7"}, "messaging_type": "UPDATE"}, STANDARD),
        ({"recipient": {"id": "7"}, "messaging_type": "UTILITY"}, None),
        ({"recipient": {"id": "7"}, "messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}, TAGGED),
        ({"recipient": {"id": "7"}, "messaging_type": "MESSAGE_TAG", "tag": "CUSTOMER_FEEDBACK"}, TAGGED),
        ({"recipient": {"id": "7"}, "messaging_type": "MESSAGE_TAG", "tag": "ACCOUNT_UPDATE"}, None),
        (
            {"recipient": {"id": "7"}, "messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT", "reply_to": {"mid": "m"}},
            STANDARD,
        ),
        ({"recipient": {"id": "7"}, "messaging_type": "UTILITY", "reply_to": {"mid": "m"}}, STANDARD),
        ({"recipient": {"comment_id": "1_2"}, "messaging_type": "RESPONSE"}, None),
        ({"recipient": {"user_ref": "u"}, "messaging_type": "RESPONSE"}, None),
        ({"recipient": {"phone_number": "+1(212)555-2368"}, "messaging_type": "UPDATE"}, None),
    ],
)
def test_each_kind_of_message_has_its_rule(parameters: dict[str, Any], rule: int | None) -> None:
    assert window_rule(parameters) == rule


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"messaging_type": "UPDATE"},
        {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"},
        {"messaging_type": "MESSAGE_TAG", "tag": "ACCOUNT_UPDATE"},
        {"reply_to": {"mid": "m_1"}, "messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"},
        {"recipient": {"comment_id": "1_2"}},
    ],
)
def test_the_door_and_the_worker_find_the_same_rule(options: dict[str, Any]) -> None:
    """The door has the job, the worker what Redis keeps of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a retired tag
        job = Job(**{"page": "1", "recipient": "7", "message": "hello", **options})
    assert _rule(job) == window_rule(json.loads(job.payload("J")))


def test_options_are_joined_and_empty_ones_left_out() -> None:
    assert joined("", "w=86400") == "w=86400"
    assert joined("a=1", "w=86400") == "a=1;w=86400"
    assert joined("", "") == ""
