"""The action at the door."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from envoi import Action, InvalidJob, Job
from envoi.ids import new_job_id


def action(**fields: Any) -> Action:
    return Action(**{"page": "100", "recipient": "7", "action": "mark_seen", **fields})


def refused(**fields: Any) -> list[str]:
    with pytest.raises(InvalidJob) as found:
        action(**fields)
    return [problem.field for problem in found.value.problems]


@pytest.mark.parametrize("name", ["mark_seen", "typing_on", "typing_off"])
def test_a_plain_action_is_its_recipient_and_its_name(name: str) -> None:
    job_id = new_job_id()
    assert json.loads(action(action=name).payload(job_id)) == {
        "id": job_id,
        "page": "100",
        "lane": "replies",
        "recipient": {"id": "7"},
        "sender_action": name,
    }


def test_a_reaction_names_its_message() -> None:
    assert action(action="react", message_id="m_1", reaction="❤").send_api() == {
        "recipient": {"id": "7"},
        "sender_action": "react",
        "payload": {"message_id": "m_1", "reaction": "❤"},
    }
    assert action(action="unreact", message_id="m_1").send_api()["payload"] == {"message_id": "m_1"}


@pytest.mark.parametrize(
    ("fields", "problems"),
    [
        ({"action": "wave"}, ["action"]),
        ({"action": "TYPING_ON"}, ["action"]),
        ({"action": None}, ["action"]),
        ({"page": ""}, ["page"]),
        ({"recipient": "seven"}, ["recipient.id"]),
        ({"recipient": {"user_ref": "x"}}, ["recipient.user_ref"]),
        ({"recipient": {"comment_id": "1_2"}}, ["recipient.comment_id"]),
        ({"action": "react"}, ["message_id", "reaction"]),
        ({"action": "react", "message_id": "m_1"}, ["reaction"]),
        ({"action": "react", "message_id": "m_1", "reaction": ""}, ["reaction"]),
        ({"action": "unreact"}, ["message_id"]),
        ({"action": "unreact", "message_id": "m_1", "reaction": "❤"}, ["reaction"]),
        ({"message_id": "m_1"}, ["message_id"]),
        ({"action": "typing_on", "reaction": "❤"}, ["reaction"]),
        ({"action": "react", "message_id": "m_1", "reaction": "❤", "platform": "instagram"}, ["reaction"]),
        ({"message": "hello"}, ["message"]),
        ({"typing": True}, ["typing"]),
        ({"max_attempts": 3}, ["max_attempts"]),
        ({"at": datetime.now()}, ["at"]),  # noqa: DTZ005  # naive on purpose
        ({"at": datetime(2026, 1, 2, tzinfo=UTC), "expires_at": datetime(2026, 1, 1, tzinfo=UTC)}, ["expires_at"]),
        ({"recipient": {"id": "7", "x": [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}}, ["recipient"]),
    ],
)
def test_what_the_send_api_would_refuse_is_refused_by_its_field(fields: dict[str, Any], problems: list[str]) -> None:
    assert refused(**fields) == problems


def test_instagram_takes_its_one_reaction() -> None:
    assert action(action="react", message_id="m_1", reaction="love", platform="instagram").reaction == "love"


def test_a_repeat_must_agree_in_what_the_send_api_takes_and_is_never_a_message() -> None:
    assert action().digest() == action(lane="bulk", at=datetime(2026, 1, 1, tzinfo=UTC)).digest()
    others: list[Action | Job] = [
        action(action="typing_on"),
        action(recipient="8"),
        Job(page="100", recipient="7", message="mark_seen"),
    ]
    assert len({action().digest(), *(other.digest() for other in others)}) == 4
