"""When a comment was written, at the door."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from envoi import InvalidJob, Job

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


def reply(**options: Any) -> Job:
    return Job(**{"page": "1", "recipient": {"comment_id": "1_2"}, "message": "x", **options})


@pytest.mark.parametrize(
    "options",
    [
        {"commented_at": NOW - 7 * DAY},
        {"commented_at": NOW - 2 * DAY, "at": NOW + 6 * DAY},
        {"commented_at": NOW + DAY},
        {"commented_at": NOW, "recipient": "7"},
        {"commented_at": NOW.replace(tzinfo=None)},
    ],
)
def test_a_reply_that_would_come_too_late_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidJob) as error:
        reply(**options)
    assert [problem.field for problem in error.value.problems] == ["commented_at"]


def test_a_reply_in_time_is_taken() -> None:
    for recipient in ({"comment_id": "1_2"}, {"post_id": "1_2"}):
        assert reply(recipient=recipient, commented_at=NOW - 7 * DAY + timedelta(hours=1)).commented_at is not None


def test_a_private_reply_has_a_key_of_its_own_unless_one_is_given() -> None:
    assert reply().key == "reply:1_2"
    assert '"key":"reply:1_2"' in reply().payload("0" * 26)
    assert reply(recipient={"post_id": "3_4"}).key == "reply:3_4"
    assert reply(key="mine").key == "mine"
    assert reply(recipient="7").key is None
