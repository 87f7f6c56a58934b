from __future__ import annotations

import json
import pickle
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envoi import InvalidJob, Job, Problem
from envoi.fields import FURTHEST, TYPING_LONGEST
from envoi.metadata import CALLER_LIMIT

SOON = datetime.now(UTC) + timedelta(hours=1)
GOOD: dict[str, Any] = {"page": "100", "recipient": "7000", "message": "hello"}


def refused(**changed: Any) -> dict[str, str]:
    """What is wrong with a good job after some changes: limits by field."""
    with pytest.raises(InvalidJob) as caught:
        Job(**{**GOOD, **changed})
    return {problem.field: problem.limit for problem in caught.value.problems}


def test_strings_are_short_for_the_send_apis_objects() -> None:
    short = Job(page="100", recipient="7000", message="hello")
    assert short == Job(page="100", recipient={"id": "7000"}, message={"text": "hello"})
    assert short.recipient.id == "7000"
    assert short.message.text == "hello"


def test_every_problem_is_told_at_once_with_its_field_limit_and_source() -> None:
    with pytest.raises(InvalidJob) as caught:
        Job(page="a b", recipient="Ada", message="x" * 2001, lane="slow", colour="red")
    assert caught.value.problems == (
        Problem("page", "must be 1 to 64 letters, digits, '_', '.' or '-'"),
        Problem("recipient.id", "must be a string of 1 to 64 digits", "SEND_API 1"),
        Problem("message.text", "at most 2000 characters", "SEND_API 3"),
        Problem("lane", "must be 'replies' or 'bulk'"),
        Problem("colour", "is not a parameter that this version knows"),
    )
    assert "message.text: at most 2000 characters [SEND_API 3]; lane: must be" in str(caught.value)


def test_a_job_of_nothing_names_what_is_required() -> None:
    with pytest.raises(InvalidJob) as caught:
        Job()
    assert {str(problem) for problem in caught.value.problems} == {
        "page: is required",
        "recipient: is required",
        "message: is required",
    }


@pytest.mark.parametrize(
    ("field", "value", "named", "limit"),
    [
        ("page", "", "page", "must be 1 to 64"),
        ("page", "1" * 65, "page", "must be 1 to 64"),
        ("page", "100\n", "page", "must be 1 to 64"),
        ("page", "1/2", "page", "must be 1 to 64"),
        ("page", 100, "page", "must be a string"),
        ("page", None, "page", "must be a string"),
        ("recipient", 7000, "recipient", "must be a string or the Send API's own object"),
        ("recipient", {}, "recipient", "must have exactly one of id, user_ref"),
        ("recipient", {"id": 7000}, "recipient.id", "must be a string"),
        ("recipient", {"id": "٣"}, "recipient.id", "must be a string of 1 to 64 digits"),
        ("recipient", {"id": "7", "user_ref": "u"}, "recipient", "must have exactly one of id, user_ref"),
        ("recipient", {"id": "7", 1: "7"}, "recipient.1", "is not a parameter"),
        ("recipient", ["7"], "recipient", "must be a string or"),
        ("message", "", "message.text", "must not be empty"),
        ("message", "a\x00b", "message.text", "must not contain the character NUL"),
        ("message", "a\ud800b", "message.text", "must be valid UTF-8"),
        ("message", b"hello", "message", "must be a string or"),
        ("message", {"text": "x", "attachment": {}}, "message.attachment.type", "must be 'audio', 'file'"),
        ("message", {"text": "x", "metadata": "m" * (CALLER_LIMIT + 1)}, "message.metadata", f"at most {CALLER_LIMIT}"),
        ("messaging_type", "response", "messaging_type", "must be 'RESPONSE', 'UPDATE', 'MESSAGE_TAG' or 'UTILITY'"),
        ("notification_type", "LOUD", "notification_type", "must be 'REGULAR'"),
        ("persona_id", "p", "persona_id", "must be a string of 1 to 64 digits"),
        ("reply_to", "m_1", "reply_to", "must be"),
        ("reply_to", {"mid": ""}, "reply_to.mid", "must not be empty"),
        ("key", "", "key", "must not be empty"),
        ("key", "k" * 256, "key", "at most 255 characters"),
        ("key", 42, "key", "must be a string"),
        ("mark_seen", 1, "mark_seen", "must be True or False"),
        ("max_attempts", 0, "max_attempts", "must be at least 1"),
        ("max_attempts", 101, "max_attempts", "must be at most 100"),
        ("max_attempts", "3", "max_attempts", "must be a whole number"),
        ("max_attempts", True, "max_attempts", "must be a whole number"),
        ("max_attempts", 2.0, "max_attempts", "must be a whole number"),
        ("on_unknown", "again", "on_unknown", "must be 'stop' or 'resend'"),
        ("on_outcome", "https://example.org", "on_outcome", "must be celery:<task name>"),
    ],
)
def test_a_field_out_of_its_limits_is_named_with_its_limit(field: str, value: object, named: str, limit: str) -> None:
    found = refused(**{field: value})
    assert list(found) == [named]
    assert found[named].startswith(limit)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("page", "1" * 64),
        ("page", "My.Page-1_a"),
        ("recipient", "0"),
        ("message", "é" * 2000),
        ("message", "👩‍👩‍👧" * 400),
        ("message", {"text": "x", "metadata": "m" * CALLER_LIMIT}),
        ("key", "🔑" * 255),
        ("max_attempts", 1),
        ("max_attempts", 100),
        ("typing", False),
        ("typing", "auto"),
        ("typing", TYPING_LONGEST),
        ("typing", 0.001),
        ("lane", "bulk"),
        ("reply_to", {"mid": "m_" + "x" * 900}),
        ("at", SOON),
        ("at", datetime.now(UTC) + FURTHEST - timedelta(minutes=1)),
        ("expires_at", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_field_at_its_limit_is_taken(field: str, value: object) -> None:
    Job(**{**GOOD, field: value})


@pytest.mark.parametrize(
    "value", [0, 0.0, -1, 15.01, float("nan"), float("inf"), 10**400, "on", "", None, [3], b"auto", 3j]
)
def test_typing_is_true_false_auto_or_some_seconds(value: object) -> None:
    assert refused(typing=value) == {
        "typing": 'must be True, False, "auto", or seconds: more than 0, at most 15',
    }


def test_typing_stays_what_it_was_in_the_payload() -> None:
    def kept(typing: object) -> object:
        return json.loads(Job(**GOOD, typing=typing).payload("X"))["typing"]

    assert kept(True) is True
    assert kept(False) is False
    assert kept("auto") == "auto"
    assert kept(1) == 1.0
    assert kept(1) is not True
    assert kept(2.5) == 2.5


class Nowhere(tzinfo):
    """A time zone that does not say its offset: a datetime with it is naive."""

    def utcoffset(self, _when: datetime | None) -> None:
        return None

    def dst(self, _when: datetime | None) -> None:
        return None

    def tzname(self, _when: datetime | None) -> str:
        return "nowhere"


@pytest.mark.parametrize("field", ["at", "expires_at"])
@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 11, 24, 12, 0),  # noqa: DTZ001  # naive is the point
        datetime(2026, 11, 24, 12, 0, tzinfo=Nowhere()),
        date(2026, 11, 24),
        "2026-11-24T12:00:00Z",
        1_795_000_000,
        1.5,
    ],
)
def test_times_are_aware_datetimes_and_nothing_else(field: str, value: object) -> None:
    assert refused(**{field: value}) == {field: "must be an aware datetime"}


@pytest.mark.parametrize(
    "value",
    [
        datetime.max.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=timezone(-timedelta(hours=12))),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=12))),
        datetime(1969, 12, 31, 23, 59, tzinfo=UTC),
    ],
)
def test_times_that_no_database_or_queue_could_hold_are_refused(value: datetime) -> None:
    assert refused(at=value) == {"at": "must lie between 1970 and 366 days from now"}


def test_a_time_more_than_a_year_ahead_is_refused() -> None:
    assert refused(at=datetime.now(UTC) + FURTHEST + timedelta(minutes=1)).keys() == {"at"}
    assert Job(**GOOD, at=datetime.now(UTC) + FURTHEST - timedelta(minutes=1)).at


def test_a_time_is_kept_in_utc() -> None:
    berlin = datetime(2026, 7, 1, 12, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    job = Job(**GOOD, at=berlin)
    assert job.at == berlin
    assert json.loads(job.payload("X"))["at"] == "2026-07-01T10:00:00Z"


def test_a_time_that_has_passed_is_taken_so_that_a_late_repeat_finds_its_job() -> None:
    past = datetime.now(UTC) - timedelta(days=2)
    assert Job(**GOOD, at=past, expires_at=past + timedelta(hours=1)).at == past


def test_a_job_cannot_expire_before_it_begins() -> None:
    assert refused(at=SOON, expires_at=SOON) == {"expires_at": "must be later than at"}


def test_a_tag_and_its_messaging_type_come_together() -> None:
    assert Job(**GOOD, messaging_type="MESSAGE_TAG", tag="HUMAN_AGENT").tag == "HUMAN_AGENT"
    assert refused(messaging_type="MESSAGE_TAG") == {"tag": "is required with messaging_type MESSAGE_TAG"}
    assert refused(tag="HUMAN_AGENT") == {"tag": "only goes with messaging_type MESSAGE_TAG"}


def test_a_tag_that_only_goes_with_a_template_is_refused_for_a_text() -> None:
    found = refused(messaging_type="MESSAGE_TAG", tag="CUSTOMER_FEEDBACK")
    assert found["tag"].startswith("CUSTOMER_FEEDBACK only goes with the template")


def test_a_refusal_never_repeats_the_value() -> None:
    with pytest.raises(InvalidJob) as caught:
        Job(page="sesame sesame", recipient="sesame", message=["sesame"], lane="sesame", key=("sesame",))
    assert "sesame" not in f"{caught.value} {caught.value!r}"
    assert caught.value.__suppress_context__


def test_a_refusal_of_a_made_up_field_stays_short() -> None:
    assert max(map(len, refused(**{"x" * 1_000_000: 1}))) == 100


def test_a_refusal_survives_pickling() -> None:
    with pytest.raises(InvalidJob) as caught:
        Job(**{**GOOD, "message": ""})
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301  # our own
    assert again.problems == caught.value.problems
    assert str(again) == str(caught.value)


def test_a_job_cannot_be_changed() -> None:
    job = Job(**GOOD)
    with pytest.raises(ValueError, match="frozen"):
        job.lane = "bulk"  # type: ignore[misc]  # that is the point


def test_the_payload_holds_what_was_given_and_the_defaults() -> None:
    payload = Job(**GOOD, key="k", reply_to={"mid": "m_1"}, mark_seen=True).payload("01JOB")
    assert json.loads(payload) == {
        "id": "01JOB",
        "page": "100",
        "recipient": {"id": "7000"},
        "message": {"text": "hello"},
        "messaging_type": "RESPONSE",
        "reply_to": {"mid": "m_1"},
        "key": "k",
        "lane": "replies",
        "typing": True,
        "mark_seen": True,
        "on_unknown": "stop",
    }


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({}, True),
        ({"lane": "bulk", "typing": False, "mark_seen": True, "max_attempts": 2, "at": SOON}, True),
        ({"message": "hello!"}, False),
        ({"message": {"text": "hello", "metadata": "m"}}, False),
        ({"recipient": "7001"}, False),
        ({"notification_type": "NO_PUSH"}, False),
        ({"messaging_type": "UPDATE"}, False),
        ({"reply_to": {"mid": "m_1"}}, False),
        ({"persona_id": "5"}, False),
    ],
)
def test_a_repeat_agrees_in_recipient_message_and_send_api_parameters(changed: dict[str, Any], same: bool) -> None:
    first, repeat = Job(**GOOD, key="k"), Job(**{**GOOD, "key": "k", **changed})
    assert (first.digest() == repeat.digest()) is same
    assert first.key_digest() == repeat.key_digest()


WHATEVER: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.text(st.characters(categories=["Cs", "Cc", "L"]))
    | st.binary()
    | st.datetimes(timezones=st.none() | st.just(UTC)),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=5,
)
FIELDS = st.sampled_from([*Job.model_fields, "unheard_of"])
PROPER = st.fixed_dictionaries(
    {"page": st.just("100"), "recipient": st.just("7"), "message": st.text(min_size=1) | st.just("hello")}
)


def answered(fields: dict[str, Any]) -> Job | InvalidJob:
    try:
        return Job(**fields)
    except InvalidJob as error:
        return error


@given(PROPER, st.dictionaries(FIELDS, WHATEVER, max_size=3))
def test_whatever_is_given_is_refused_in_words_or_makes_a_payload(proper: dict[str, Any], odd: dict[str, Any]) -> None:
    answer = answered({**proper, **odd})
    if isinstance(answer, InvalidJob):
        assert answer.problems
        assert all(problem.field and problem.limit for problem in answer.problems)
    else:
        payload = answer.payload("01JOB")
        assert "\x00" not in payload
        assert json.loads(payload.encode()) == {"id": "01JOB", **answer.model_dump(mode="json", exclude_none=True)}
        assert len(answer.digest()) == len(answer.key_digest()) == 32
