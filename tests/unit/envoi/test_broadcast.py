"""What a broadcast takes at its door, and how its progress is told."""

from __future__ import annotations

import io
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envoi import InvalidBroadcast, Problem
from envoi.broadcast.recipients import LINE_LONGEST, Door, Person, Unreadable, read_lines
from envoi.broadcast.report import Report
from envoi.broadcast.states import BroadcastState
from envoi.broadcast.store import Broadcast
from envoi.broadcast.template import Template
from envoi.cli.broadcast_progress import tell
from envoi.cli.progress import Lines, Progress, Rate
from envoi.ids import JOB_ID, id_after, new_job_id

BROADCAST = "01JDBQ8Z5V0000000000000000"


def lines(text: bytes) -> list[tuple[int, object]]:
    return list(read_lines(io.BytesIO(text)))


def door(**options: Any) -> Door:
    return Door(Template.checked("100", "hello", options))


def test_lines_are_ids_or_objects_and_empty_ones_count_as_lines() -> None:
    found = lines(b'\xef\xbb\xbf7\n\n {"user_ref": "u"} \r\n"8"\n9')
    assert found == [(1, "7"), (3, {"user_ref": "u"}), (4, "8"), (5, "9")]


@pytest.mark.parametrize("line", [b"\xff", b'{"id"', b"[1]", b"[" * 5000])
def test_a_line_that_cannot_be_read_says_why_and_stops_nothing(line: bytes) -> None:
    [(number, found), behind] = lines(line + b"\n8\n")
    assert number == 1
    assert isinstance(found, Unreadable)
    assert behind == (2, "8")


def test_a_line_without_end_is_not_held_in_memory() -> None:
    [(_, found), behind] = lines(b"1" * (3 * LINE_LONGEST) + b"\n8\n")
    assert found == Unreadable(f"at most {LINE_LONGEST} bytes in one line")
    assert behind == (2, "8")


@given(st.binary(max_size=200))
def test_any_bytes_are_lines_of_recipients_or_of_reasons(text: bytes) -> None:
    for _, found in lines(text):
        assert isinstance(door().check(found), Person | list)


def test_an_id_and_its_object_are_one_person() -> None:
    assert door().check("7") == door().check({"id": "7"}) == Person("id", "7")


def test_one_number_in_two_spellings_is_one_person() -> None:
    one, two = door().check({"phone_number": "+1(212)555-2368"}), door().check({"phone_number": "+12125552368"})
    assert isinstance(one, Person)
    assert isinstance(two, Person)
    assert (one.kind, one.key) == (two.kind, two.key)
    assert one.recipient == {"phone_number": "+1(212)555-2368"}


def test_a_very_long_token_is_known_by_its_digest_and_sent_as_it_is() -> None:
    given_token = {"notification_messages_token": "é" * 500}
    found = door().check(given_token)
    assert isinstance(found, Person)
    assert len(found.key) == 32
    assert found.recipient == given_token


@pytest.mark.parametrize("recipient", ["x", "", {"id": 7}, {}, {"id": "1", "user_ref": "u"}, None, 7, {"id": {1}}])
def test_what_a_single_job_would_be_refused_for_is_refused(recipient: object) -> None:
    found = door().check(recipient)
    assert isinstance(found, list)
    assert all(problem.field.startswith("recipient") for problem in found)


def test_the_rules_of_the_platform_hold_for_each_kind_of_recipient() -> None:
    found = door(platform="instagram").check({"user_ref": "u"})
    assert isinstance(found, list)
    assert found[0].field == "recipient.user_ref"


def test_every_job_is_the_template_with_its_own_recipient_and_key() -> None:
    template = Template.checked("100", "hello", {"typing": False, "max_attempts": 3})
    job = template.job(BROADCAST, "7")
    assert (job.lane, job.typing, job.max_attempts, job.recipient.id) == ("bulk", False, 3, "7")
    assert job.key == f"broadcast:{BROADCAST}:7"


def test_a_private_reply_keeps_the_key_that_every_one_has() -> None:
    template = Template.checked("100", "hello", {})
    assert template.job(BROADCAST, {"comment_id": "1_2"}).key == "reply:1_2"


def test_keys_fit_whatever_the_recipient_is() -> None:
    template = Template.checked("100", "hello", {})
    keys = {str(template.job(BROADCAST, {"user_ref": "u" * length}).key) for length in (1, 218, 219, 220, 1000)}
    assert len(keys) == 5
    assert max(len(key) for key in keys) <= 255


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}, "lane"),
        ({"lane": "replies"}, "lane"),
        ({"replay_of": BROADCAST}, "replay_of"),
        ({"commented_at": None}, "commented_at"),
        ({"recipient": "7"}, "recipient"),
        ({"colour": "red"}, "colour"),
        ({"max_attempts": 0}, "max_attempts"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidBroadcast) as caught:
        Template.checked("100", "hello", options)
    assert field in [problem.field for problem in caught.value.problems]


def test_the_error_survives_pickling() -> None:
    error = InvalidBroadcast(Problem("line 1: recipient.id", "must be digits"), bad=7)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own
    assert (str(again), again.bad, again.problems) == (str(error), 7, error.problems)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_ids_behind_an_id_are_in_order_and_of_its_form(one: int, two: int) -> None:
    base = new_job_id()
    assert JOB_ID.fullmatch(id_after(base, one))
    assert (id_after(base, one) < id_after(base, two)) == (one < two)
    assert id_after(base, 0) == base


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (BroadcastState.RUNNING, "2 sent, 0.0/s, no estimate yet"),
        (BroadcastState.PAUSED, "2 sent, paused"),
    ],
)
def test_progress_tells_how_many_were_sent_the_message_and_what_is_left(
    state: BroadcastState, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    broadcast = Broadcast(BROADCAST, None, "100", state, 5, 0, 0, None, datetime.now(UTC), None)
    later = iter([0.0, 11.0, 11.0])
    progress = Progress(view=Lines(lambda: next(later)), rate=Rate(lambda: 0.0))
    tell(progress, broadcast, Report(waiting=3, enqueued=0, outcomes={"sent": 2}, reasons=[]))
    assert capsys.readouterr().err == f"envoi: 2 of 5; {said}\n"
