from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
import redis

from envoi.cli.output import iso
from envoi.ids import JOB_ID
from envoi.queue.keys import Keys
from tests.integration.cli.conftest import Run

KEYS = Keys()
DAY = (datetime.now(UTC) + timedelta(days=30)).date()  # in time for a job to be sent then
NOBODY = "01JDBQ8Z5V0000000000000000"


def enqueued(client: redis.Redis, job_id: str) -> dict[str, object]:
    """A job's payload as Redis keeps it."""
    text = client.get(KEYS.job(job_id))
    found: dict[str, object] = json.loads(str(text).partition("\n")[2])
    return found


def test_send_prints_the_id_of_the_job_and_nothing_else(run: Run, queue_open: redis.Redis) -> None:
    job_id = run("send", "100", "7", "hello, world").out.removesuffix("\n")
    assert JOB_ID.fullmatch(job_id)
    assert enqueued(queue_open, job_id)["message"] == {"text": "hello, world"}


def test_every_option_of_send_reaches_the_job(run: Run, queue_open: redis.Redis) -> None:
    options = {
        "--key": "order-42",
        "--lane": "bulk",
        "--at": f"{DAY}T12:00:00+01:00",
        "--expires-at": f"{DAY}T23:00:00Z",
        "--messaging-type": "MESSAGE_TAG",
        "--tag": "ACCOUNT_UPDATE",
        "--notification-type": "NO_PUSH",
        "--persona-id": "5",
        "--reply-to": "m_1",
        "--metadata": "mine",
        "--typing": "2.5",
        "--max-attempts": "3",
        "--on-unknown": "resend",
        "--on-outcome": "stream:shop",
    }
    flat = [part for pair in options.items() for part in pair]
    sent = run("send", "100", "7", "hello", *flat, "--mark-seen", "--json")
    assert "tag ACCOUNT_UPDATE is retired" in sent.err
    job_id = sent.json["id"]
    assert enqueued(queue_open, job_id) == {
        "id": job_id,
        "page": "100",
        "recipient": {"id": "7"},
        "message": {"text": "hello", "metadata": "mine"},
        "messaging_type": "MESSAGE_TAG",
        "notification_type": "NO_PUSH",
        "tag": "ACCOUNT_UPDATE",
        "persona_id": "5",
        "reply_to": {"mid": "m_1"},
        "key": "order-42",
        "lane": "bulk",
        "at": f"{DAY}T11:00:00Z",
        "expires_at": f"{DAY}T23:00:00Z",
        "typing": 2.5,
        "mark_seen": True,
        "max_attempts": 3,
        "on_unknown": "resend",
        "on_outcome": "stream:shop",
    }


@pytest.mark.parametrize(
    ("options", "typing"),
    [([], True), (["--no-typing"], False), (["--typing", "auto"], "auto"), (["--typing", "3"], 3)],
)
def test_send_can_choose_the_typing(run: Run, queue_open: redis.Redis, options: list[str], typing: object) -> None:
    assert enqueued(queue_open, run("send", "100", "7", "x", *options, "--json").json["id"])["typing"] == typing


@pytest.mark.parametrize("piped", [False, True])
def test_recipient_and_message_may_be_the_send_apis_own_objects(run: Run, queue_open: redis.Redis, piped: bool) -> None:
    message = '{"text": "h\u00e9llo", "quick_replies": [{"content_type": "user_email"}], "metadata": "mine"}'
    given, stdin = ("-", message.encode()) if piped else (message, b"")
    ran = run("send", "100", '{"user_ref": "REF"}', "--message", given, "--json", stdin=stdin)
    found = enqueued(queue_open, ran.json["id"])
    assert found["recipient"] == {"user_ref": "REF"}
    assert found["message"] == json.loads(message)


def test_a_job_for_instagram_is_checked_by_its_rules(run: Run, queue_open: redis.Redis) -> None:
    sent = run("send", "100", "7", "hello", "--platform", "instagram", "--json").json
    assert enqueued(queue_open, sent["id"])["platform"] == "instagram"
    ran = run("send", "100", '{"post_id": "7"}', "hello", "--platform", "instagram", status=1)
    assert "  recipient.post_id: is not available for Instagram: id or comment_id [SEND_API 2]" in ran.err.splitlines()
    assert (
        "  platform: must be 'messenger' or 'instagram'"
        in run("send", "100", "7", "x", "--platform", "x", status=1).err
    )


def test_an_unknown_template_passes_where_it_is_asked_for(run: Run, queue_open: redis.Redis) -> None:
    message = '{"attachment": {"type": "template", "payload": {"template_type": "newer", "x": [1]}}}'
    assert "allow_unknown" in run("send", "100", "7", "--message", message, status=1).err
    sent = run("send", "100", "7", "--message", message, "--allow-unknown", "--json").json
    assert enqueued(queue_open, sent["id"])["message"] == json.loads(message)


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        (["7", "--message", "{"], b"", "is no JSON at line 1, column 2: Expecting property name"),
        (["7", "--message", "[]"], b"", "must be a JSON object"),
        (["7", "--message", "[" * 100_000], b"", "nested too deeply"),
        (["7", "--message", '{"text":' + "9" * 5000 + "}"], b"", "too long a number"),
        (["7", "--message", "-"], b"\xff", "is not UTF-8 at byte 0"),
        (["7", "--message", "-"], b"", "is no JSON"),
        (["7", "--message", "-"], b" " * 1_048_577, "has more than 1048576 bytes"),
        (['{"id": "7"', "x"], b"", "is no JSON"),
        (['{"id', "x"], b"", "is no JSON at line 1, column 2: Unterminated string"),
        (["7", "x", "--message", "{}"], b"", "give either TEXT or --message"),
        (["7", "--message", "{}", "--metadata", "m"], b"", "--metadata goes with TEXT"),
    ],
)
def test_json_that_cannot_be_read_is_wrong_usage(run: Run, arguments: list[str], stdin: bytes, says: str) -> None:
    ran = run("send", "100", *arguments, stdin=stdin, status=2)
    assert says in " ".join(ran.err.replace("\u2502", " ").split())
    assert len(ran.err) < 2000


@pytest.mark.usefixtures("queue_open")
def test_json_that_the_send_api_would_refuse_is_told_by_field(run: Run) -> None:
    ran = run("send", "100", '{"id": 7}', "--message", '{"text": "\\ud800", "mood": 1}', status=1)
    assert ran.err.splitlines() == [
        "envoi: the job was refused; nothing was enqueued",
        "  recipient.id: must be a string [SEND_API 1]",
        "  message.text: must be valid UTF-8: it contains a lone surrogate [SEND_API 3]",
        "  message.mood: is not a parameter that this version knows",
    ]


def test_a_text_may_begin_with_a_dash(run: Run, queue_open: redis.Redis) -> None:
    job_id = run("send", "--json", "--", "100", "7", "--no-typing").json["id"]
    assert enqueued(queue_open, job_id)["message"] == {"text": "--no-typing"}


def test_a_repeat_with_the_same_key_prints_the_first_id(run: Run, queue_open: redis.Redis) -> None:
    first = run("send", "100", "7", "hello", "--key", "k").out
    assert run("send", "100", "7", "hello", "--key", "k").out == first
    assert queue_open.llen(KEYS.line("100/id/7")) == 1
    ran = run("send", "100", "7", "other", "--key", "k", status=1)
    assert ran.err.startswith(f"envoi: key: taken by job {first.strip()} with another recipient")


@pytest.mark.usefixtures("queue_open")
def test_a_refused_job_names_each_field_and_its_limit(run: Run) -> None:
    ran = run("send", "a b", "Ada", "x" * 2001, "--lane", "slow", "--typing", "99", status=1)
    assert ran.out == ""
    assert ran.err.splitlines() == [
        "envoi: the job was refused; nothing was enqueued",
        "  page: must be 1 to 64 letters, digits, '_', '.' or '-'",
        "  recipient.id: must be a string of 1 to 64 digits [SEND_API 1]",
        "  message.text: at most 2000 characters [SEND_API 3]",
        "  lane: must be 'replies' or 'bulk'",
        '  typing: must be True, False, "auto", or seconds: more than 0, at most 15',
    ]


@pytest.mark.usefixtures("queue_open")
@pytest.mark.parametrize(
    "arguments",
    [
        ["send", "100", "7", "hello", "--at"],
        ["send", "100", "7", "hello", "--expires-at"],
        ["hold", "100", "7", "--until"],
        ["reschedule", "01M86X3YDD2XQ34SMV5Q0EAHZB"],
    ],
)
def test_a_time_without_a_zone_is_wrong_usage(run: Run, arguments: list[str]) -> None:
    assert "must say its zone" in run(*arguments, f"{DAY}T12:00:00", status=2).err


@pytest.mark.parametrize(
    "arguments",
    [
        ["send", "100", "7"],
        ["send", "100", "7", "x", "--at", "tomorrow"],
        ["send", "100", "7", "x", "--typing", "long"],
        ["send", "100", "7", "x", "--typing", "3", "--no-typing"],
        ["send", "100", "7", "x", "--max-attempts", "some"],
        ["status"],
        ["unheard-of"],
        ["jobs", "--state", "lost"],
        ["jobs", "--limit", "0"],
        ["pages", "add", "a b"],
        ["pages", "add", "100", "--pace", "0"],
        ["pages", "add", "100", "--pace", "nan"],
        ["pages", "add", "100", "--pace", "1001"],
        ["pages", "add", "100", "--cap", "0"],
        ["pages", "add", "100", "--platform", "telegraph"],
    ],
)
def test_wrong_usage_ends_with_status_2_and_says_how(run: Run, arguments: list[str]) -> None:
    ran = run(*arguments, status=2)
    assert ran.out == ""
    assert "Usage: envoi" in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.usefixtures("queue_open")
def test_status_tells_people_and_programs_the_same(run: Run) -> None:
    job_id = run("send", "100", "7", "hello", "--at", f"{DAY}T12:00:00Z").out.strip()
    assert run("status", job_id, "--json").json == {
        "id": job_id,
        "state": "scheduled",
        "attempts": 0,
        "message_id": None,
        "recipient_id": None,
        "error": None,
        "due_at": f"{DAY}T12:00:00.000000Z",
    }
    shown = run("status", job_id).out
    assert job_id in shown
    assert "scheduled" in shown
    assert f"{DAY} 12:00:00Z" in shown


@pytest.mark.usefixtures("queue_open")
def test_cancel_says_what_it_came_to(run: Run) -> None:
    job_id = run("send", "100", "7", "hello").out.strip()
    assert run("cancel", job_id, "--json").json == {"id": job_id, "answer": "cancelled"}
    assert run("cancel", job_id, status=1).out == "too_late\n"
    found = run("status", job_id, "--json").json
    assert found["state"] == "cancelled"
    assert found["error"] == {"message": "cancelled before the message call", "code": None, "subcode": None}


@pytest.mark.usefixtures("queue_open")
def test_reschedule_says_what_it_came_to(run: Run) -> None:
    job_id = run("send", "100", "7", "hello").out.strip()
    moment = datetime.now(UTC) + timedelta(days=5)
    when = moment.astimezone(timezone(timedelta(hours=1))).isoformat()
    assert run("reschedule", job_id, when, "--json").json == {"id": job_id, "answer": "scheduled"}
    assert run("status", job_id, "--json").json["due_at"] == iso(moment)
    assert run("reschedule", job_id, "2020-01-01T00:00:00Z").out == "queued\n"
    assert (
        "AT: must lie between 1970 and 366 days from now"
        in run("reschedule", job_id, "2199-01-01T00:00:00Z", status=2).err
    )
    assert "AT" in run("reschedule", job_id, "soon", status=2).err
    run("cancel", job_id)
    assert run("reschedule", job_id, when, status=1).out == "too_late\n"


@pytest.mark.usefixtures("queue_open")
@pytest.mark.parametrize("command", ["status", "cancel"])
@pytest.mark.parametrize("job_id", [NOBODY, "nonsense", "\x1b[31m"])
def test_an_unknown_job_is_one_line(run: Run, command: str, job_id: str) -> None:
    ran = run(command, job_id, status=1)
    assert ran.err.startswith("envoi: ")
    assert ran.err.count("\n") == 1
    assert "\x1b" not in ran.err


def test_a_closed_queue_says_what_to_start(run: Run, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVOI_REDIS_URL", redis_url)
    assert "start `envoi scheduler`" in run("send", "100", "7", "hello", status=1).err
