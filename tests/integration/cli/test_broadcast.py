"""`envoi broadcast` and `envoi broadcasts` on a real database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, update

from envoi.log.tables import broadcast_recipients, broadcasts, jobs
from envoi.settings import settings
from tests.integration.broadcast.house import add_page, some
from tests.integration.cli.conftest import Run

PAGE = "100000000000001"


@pytest.fixture(autouse=True)
def _page(migrated: Engine, secret_key: str) -> None:
    settings.cache_clear()
    add_page(migrated, secret_key)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.txt"
    path.write_text("\n".join(some(5)) + "\n")
    return path


def rows(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(broadcast_recipients).order_by(broadcast_recipients.c.number)))


def begin(run: Run, people: Path, *arguments: str) -> str:
    return run("broadcast", PAGE, "--recipients", str(people), "--text", "hi", "--no-wait", *arguments).out.strip()


def test_a_file_of_ids_is_loaded_and_the_id_is_printed(run: Run, people: Path, migrated: Engine) -> None:
    broadcast_id = begin(run, people)
    assert [(row.broadcast_id, row.recipient, row.state) for row in rows(migrated)] == [
        (broadcast_id, person, "pending") for person in some(5)
    ]


def test_standard_input_takes_ids_and_objects_and_names_twice_count_once(run: Run, migrated: Engine) -> None:
    lines = ["7", '{"id": "7"}', '"8"', "", '{"user_ref": "u"}', '{"phone_number": "+1(212)555-2368"}', " 7 \r"]
    ran = run(
        "broadcast", PAGE, "--recipients", "-", "--text", "hi", "--no-wait", "--json", stdin="\n".join(lines).encode()
    )
    assert ran.json["id"]
    assert "lines named more than once: 2\n" in ran.err
    assert [(row.kind, row.recipient, row.given) for row in rows(migrated)] == [
        ("id", "7", None),
        ("id", "8", None),
        ("user_ref", "u", None),
        ("phone_number", "+12125552368", {"phone_number": "+1(212)555-2368"}),
    ]


def test_wrong_lines_are_named_and_nothing_is_loaded(run: Run, migrated: Engine, tmp_path: Path) -> None:
    path = tmp_path / "bad.txt"
    path.write_bytes(b'1\nx\n{"id": 5}\n{"id"\n[1]\n\xff\n2\n')
    ran = run("broadcast", PAGE, "--recipients", str(path), "--text", "hi", status=1)
    assert "the broadcast was refused (wrong recipients: 5); nobody is sent anything" in ran.err
    for line, field in ((2, "recipient.id"), (3, "recipient.id"), (4, "recipient"), (5, "recipient"), (6, "recipient")):
        assert f"  line {line}: {field}: " in ran.err
    with migrated.connect() as connection:
        assert list(connection.execute(select(broadcasts))) == []
    assert rows(migrated) == []


def test_wrong_lines_may_be_left_out(run: Run, migrated: Engine, tmp_path: Path) -> None:
    path = tmp_path / "bad.txt"
    path.write_text("1\nx\n2\n")
    ran = run("broadcast", PAGE, "--recipients", str(path), "--text", "hi", "--no-wait", "--skip-bad")
    assert "lines wrong and left out: 1\n" in ran.err
    assert [row.recipient for row in rows(migrated)] == ["1", "2"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--text", "x" * 2001], "message.text: at most 2000 characters"),
        (["--text", "hi", "--messaging-type", "MESSAGE_TAG", "--tag", "HUMAN_AGENT"], "HUMAN_AGENT"),
        (["--text", "hi", "--persona-id", "x"], "persona_id"),
        (["--text", "hi", "--key", ""], "key: must be a string of 1 to 255"),
    ],
)
def test_a_wrong_message_is_refused_before_any_recipient_is_read(
    run: Run, people: Path, migrated: Engine, arguments: list[str], said: str
) -> None:
    ran = run("broadcast", PAGE, "--recipients", str(people), *arguments, status=1)
    assert said in ran.err
    assert rows(migrated) == []


def test_an_empty_list_and_an_unknown_page_are_refused(run: Run, tmp_path: Path, people: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.write_text("\n\n")
    assert (
        "recipients: at least one" in run("broadcast", PAGE, "--recipients", str(empty), "--text", "hi", status=1).err
    )
    assert "page 5 was never added" in run("broadcast", "5", "--recipients", str(people), "--text", "hi", status=1).err
    run("broadcast", PAGE, "--recipients", str(tmp_path / "none"), "--text", "hi", status=2)
    run("broadcast", PAGE, "--recipients", str(people), status=2)


def test_a_message_is_read_from_a_file(run: Run, people: Path, migrated: Engine, tmp_path: Path) -> None:
    message = tmp_path / "message.json"
    message.write_text(json.dumps({"text": "hi", "metadata": "m"}))
    run(
        "broadcast",
        PAGE,
        "--recipients",
        str(people),
        "--message",
        str(message),
        "--no-wait",
        "--no-typing",
        "--on-unknown",
        "resend",
    )
    with migrated.connect() as connection:
        [payload] = connection.execute(select(broadcasts.c.payload)).scalars()
    assert payload["on_unknown"] == "resend"
    assert (payload["message"], payload["typing"], payload["lane"]) == ({"text": "hi", "metadata": "m"}, False, "bulk")


def test_the_same_key_again_is_the_same_broadcast(run: Run, people: Path, migrated: Engine, tmp_path: Path) -> None:
    first = begin(run, people, "--key", "june")
    other = tmp_path / "others.txt"
    other.write_text("99\n")
    assert begin(run, other, "--key", "june") == first
    assert len(rows(migrated)) == 5
    ran = run("broadcast", PAGE, "--recipients", str(people), "--text", "other", "--no-wait", "--key", "june", status=1)
    assert f"key: taken by broadcast {first}" in ran.err


def test_it_is_paused_resumed_and_cancelled_and_each_may_be_said_twice(run: Run, people: Path) -> None:
    broadcast_id = begin(run, people)
    for command, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelling")):
        for _ in range(2):
            assert run("broadcasts", command, broadcast_id).out.strip() == state
    assert f"broadcast {broadcast_id} is cancelling" in run("broadcasts", "pause", broadcast_id, status=1).err
    assert run("broadcasts", "cancel", broadcast_id, "--json").json["state"] == "cancelling"
    assert "no broadcast x" in run("broadcasts", "pause", "x", status=1).err


def test_it_is_listed_and_shown(run: Run, people: Path) -> None:
    broadcast_id = begin(run, people, "--key", "june")
    [one] = run("broadcasts", "list", "--json").json["broadcasts"]
    assert (one["id"], one["state"], one["recipients"], one["key"]) == (broadcast_id, "running", 5, "june")
    assert run("broadcasts", "list", "--page", "9", "--json").json["broadcasts"] == []
    shown = run("broadcasts", "show", broadcast_id, "--json").json
    assert shown["total"] == 5
    assert shown["counts"] == {
        "waiting": 5, "enqueued": 0, "sent": 0, "refused": 0, "failed": 0, "unknown": 0, "expired": 0, "cancelled": 0,
    }  # fmt: skip  # one count after the other
    assert broadcast_id in run("broadcasts", "show", broadcast_id).out
    assert "no broadcast 0" in run("broadcasts", "show", "0", status=1).err


def test_it_is_followed_to_its_end_and_reported(run: Run, people: Path, migrated: Engine) -> None:
    broadcast_id = begin(run, people)
    ended = {"state": "finished", "ended_at": datetime.now(UTC)}
    refused = {"state": "refused", "cause": "InvalidJob: recipient", "error_message": "the window closed"}
    failed = {"state": "failed", "error_code": 100, "error_subcode": 2018001, "error_message": "No matching user found"}
    with migrated.begin() as connection:
        connection.execute(update(broadcasts).values(**ended))
        told: list[dict[str, Any]] = [refused, failed, failed]
        for number, values in enumerate(told, 1):
            one = broadcast_recipients.c.number == number
            connection.execute(update(broadcast_recipients).where(one).values(**values))
        connection.execute(update(broadcast_recipients).where(broadcast_recipients.c.number > 3).values(state="sent"))
    ran = run("broadcasts", "show", broadcast_id, "--follow", "--json")
    assert "5 of 5; 2 sent" in ran.err
    assert (ran.json["state"], ran.json["counts"]["sent"], ran.json["counts"]["failed"]) == ("finished", 2, 2)
    assert ran.json["reasons"][0] == {
        "outcome": "failed", "count": 2, "code": 100, "subcode": 2018001, "cause": None,
        "example": "No matching user found",
    }  # fmt: skip  # one thought a line
    text = run("broadcasts", "show", broadcast_id).out
    assert "100/2018001" in text
    assert "InvalidJob: recipient" in text


def test_whoever_has_seen_enough_leaves_it_running(
    run: Run, people: Path, migrated: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("envoi.cli.broadcast_progress.time.sleep", interrupted)
    ran = run("broadcast", PAGE, "--recipients", str(people), "--text", "hi", status=130)
    broadcast_id = ran.out.strip()
    assert f"broadcast {broadcast_id} goes on: `envoi broadcasts show {broadcast_id}`" in ran.err
    assert {row.state for row in rows(migrated)} == {"pending"}


def test_what_was_unknown_and_is_proved_counts_as_sent(run: Run, people: Path, migrated: Engine) -> None:
    broadcast_id = begin(run, people)
    with migrated.begin() as connection:
        connection.execute(update(broadcast_recipients).values(state="unknown"))
        one = select(broadcast_recipients.c.job_id).where(broadcast_recipients.c.number == 1).scalar_subquery()
        values = {"enqueued_at": datetime.now(UTC), "state": "sent", "attempts": 1}
        connection.execute(insert(jobs).values(id=one, **values))
    shown = run("broadcasts", "show", broadcast_id, "--json").json
    assert (shown["counts"]["sent"], shown["counts"]["unknown"]) == (1, 4)
    assert [(one["outcome"], one["count"]) for one in shown["reasons"]] == [("unknown", 4)]


def test_its_people_are_listed_with_what_became_of_each(run: Run, people: Path, migrated: Engine) -> None:
    broadcast_id = begin(run, people)
    with migrated.begin() as connection:
        second = broadcast_recipients.c.number == 2
        values = {"state": "failed", "error_code": 100, "error_message": "No matching user found"}
        connection.execute(update(broadcast_recipients).where(second).values(**values))
    [one] = run("broadcasts", "recipients", broadcast_id, "--state", "failed", "--json").json["recipients"]
    assert (one["number"], one["recipient"], one["reason"]) == (2, {"id": "2"}, "No matching user found")
    listed = run("broadcasts", "recipients", broadcast_id, "--after", "1", "--limit", "2").out
    assert [line.split()[0] for line in listed.splitlines()[1:]] == ["2", "3"]
    assert "no broadcast x" in run("broadcasts", "recipients", "x", status=1).err
    assert "must be one of pending, " in run("broadcasts", "recipients", "x", "--state", "waiting", status=2).err


def test_a_list_that_is_not_read_to_its_end_sends_nobody_anything(
    run: Run, people: Path, migrated: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_file: object) -> Iterator[tuple[int, object]]:
        yield 1, "1"
        raise KeyboardInterrupt

    monkeypatch.setattr("envoi.broadcast.recipients.read_lines", interrupted)
    ran = run("broadcast", PAGE, "--recipients", str(people), "--text", "hi", status=130)
    assert "nobody is sent anything" in ran.err
    assert {row.state for row in rows(migrated)} <= {"pending"}
    [one] = run("broadcasts", "list", "--json").json["broadcasts"]
    assert one["state"] == "loading"
