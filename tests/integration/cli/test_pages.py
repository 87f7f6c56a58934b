from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import redis
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import Engine, event

from demo.ports import free_port
from envoi.log.pages import PageStore
from envoi.log.secrets import SecretBox
from envoi.queue.keys import Keys
from envoi.queue.queue import Queue
from envoi.settings import settings
from tests.integration.cli.conftest import Run

KEYS = Keys()
TOKEN = b"EAAsesame1"
NEXT = b"EAAsesame2"

pytestmark = pytest.mark.usefixtures("migrated", "queue_open")


@pytest.fixture(autouse=True)
def _unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """No Graph answers here: what it says of tokens is in test_page_check.py."""
    monkeypatch.setenv("ENVOI_GRAPH_URL", f"http://127.0.0.1:{free_port()}")


def token_of(engine: Engine, page: str = "100") -> tuple[str, int]:
    found = PageStore(engine, SecretBox(settings().secret_keys)).credentials(page)
    return found.token.get_secret_value(), found.version


def queued(client: redis.Redis, page: str = "100") -> dict[str, str]:
    return {str(name): str(value) for name, value in client.hgetall(KEYS.page(page)).items()}


def listed(run: Run, page: str = "100") -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {entry["id"]: entry for entry in run("pages", "list", "--json").json["pages"]}
    return found[page]


def test_an_added_page_has_its_token_in_the_log_and_its_limits_in_the_queue(
    run: Run, migrated: Engine, queue_open: redis.Redis
) -> None:
    ran = run("pages", "add", "100", "--pace", "12.5", "--media-pace", "2.5", "--cap", "7", "--json", stdin=TOKEN)
    assert ran.json == {"id": "100", "token_version": 1}
    assert token_of(migrated) == ("EAAsesame1", 1)
    assert queued(queue_open) == {"pace": "12.5", "mpace": "2.5", "cap": "7", "tv": "1"}
    assert listed(run) == {
        "id": "100",
        "name": None,
        "platform": "messenger",
        "app_id": None,
        "graph_url": None,
        "token_version": 1,
        "pace": 12.5,
        "media_pace": 2.5,
        "cap": 7,
        "state": "sends",
        "paused": False,
        "paused_since": None,
        "pause_reason": None,
        "waiting": 0,
        "in_flight": 0,
        "queue_token_version": 1,
        "held_until": None,
        "pace_left": 1.0,
        "created_at": listed(run)["created_at"],
        "updated_at": listed(run)["updated_at"],
    }


def test_the_token_shows_nowhere(run: Run, migrated: Engine, queue_open: redis.Redis) -> None:
    ran = [
        run("pages", "add", "100", stdin=TOKEN),
        run("pages", "rotate", "100", stdin=NEXT),
        run("pages", "list"),
        run("pages", "list", "--json"),
        run("pages", "add", "100", stdin=TOKEN + b" x", status=2),
    ]
    assert "sesame" not in " ".join(one.out + one.err for one in ran)
    assert "sesame" not in str([queue_open.hgetall(key) for key in queue_open.keys("*p:*")])
    with migrated.connect() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM pages").all()
    assert "sesame" not in str([bytes(cell) if isinstance(cell, memoryview) else cell for row in rows for cell in row])


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"])
def test_one_trailing_newline_is_not_part_of_the_token(run: Run, migrated: Engine, ending: bytes) -> None:
    run("pages", "add", "100", stdin=TOKEN + ending)
    assert token_of(migrated)[0] == "EAAsesame1"


@pytest.mark.parametrize(
    ("stdin", "why"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\r\n", "is empty"),
        (b" ", "must be printable ASCII"),
        (b"one\n\n", "must be printable ASCII"),
        (b"one\ntwo\n", "must be printable ASCII"),
        (b"one\r\nX-Header: two", "must be printable ASCII"),
        (b"one\x00", "must be printable ASCII"),
        ("é".encode(), "must be printable ASCII"),
        (b"\xff\xfe", "must be printable ASCII"),
        (b"x" * 4097, "more than 4096 characters"),
        (b"x" * 1_000_000, "more than 4096 characters"),
    ],
)
def test_what_cannot_be_a_token_is_refused_and_changes_nothing(
    run: Run, migrated: Engine, stdin: bytes, why: str
) -> None:
    run("pages", "add", "100", stdin=TOKEN)
    for command in ("add", "rotate"):
        assert why in " ".join(run("pages", command, "100", stdin=stdin, status=2).err.split())
    assert token_of(migrated) == ("EAAsesame1", 1)


def test_adding_a_page_again_replaces_its_limits_and_its_token(
    run: Run, migrated: Engine, queue_open: redis.Redis
) -> None:
    run("pages", "add", "100", "--pace", "5", "--cap", "7", stdin=TOKEN)
    run("pages", "add", "100", "--platform", "instagram", "--cap", "8", stdin=NEXT)
    assert token_of(migrated) == ("EAAsesame2", 2)
    assert queued(queue_open) == {"cap": "8", "tv": "2", "ig": "1"}, "the pace is the default's again"
    assert listed(run)["platform"] == "instagram"


def test_a_new_token_lets_a_page_go_on_that_was_paused_for_its_old_one(run: Run, queue_open: redis.Redis) -> None:
    run("pages", "add", "100", stdin=TOKEN)
    queue = Queue(queue_open, settings())
    assert queue.pause("100", "190/460: session invalid", 1)  # as a worker does
    found = listed(run)
    assert (found["paused"], found["pause_reason"]) == (True, "190/460: session invalid")
    assert datetime.fromisoformat(found["paused_since"]).utcoffset() is not None
    assert run("pages", "rotate", "100", "--json", stdin=NEXT).json == {"id": "100", "token_version": 2}
    assert listed(run)["paused"] is False
    assert not queue.pause("100", "190/460: session invalid", 1), "a late 190 of the old token pauses nothing"
    assert listed(run)["paused"] is False


def test_an_operators_pause_outlives_a_new_token(run: Run, queue_open: redis.Redis) -> None:
    run("pages", "add", "100", stdin=TOKEN)
    assert run("pages", "pause", "100", "--reason", "sale is\nover", "--json").json == {"id": "100", "paused": True}
    Queue(queue_open, settings()).pause("100", "190", 1)  # a worker's pause on top of it
    ran = run("pages", "rotate", "100", stdin=NEXT)
    assert "page 100 stays paused, as an operator asked; `envoi pages resume 100`" in ran.err
    assert listed(run)["paused"] is True
    assert run("pages", "resume", "100", "--json").json == {"id": "100", "paused": False}
    found = listed(run)
    assert (found["paused"], found["paused_since"], found["pause_reason"]) == (False, None, None)
    Queue(queue_open, settings()).pause("100", "190", 2)
    run("pages", "rotate", "100", stdin=TOKEN)
    assert listed(run)["paused"] is False


def test_a_pause_shows_its_reason_on_one_line(run: Run) -> None:
    run("pages", "add", "100", stdin=TOKEN)
    run("pages", "pause", "100", "--reason", "sale is\nover \x1b[31m" + "x" * 500)
    found = listed(run)
    assert found["pause_reason"].startswith(r"sale is over \x1b[31mxxx")
    assert len(found["pause_reason"]) == 200
    row = run("pages", "list").out.splitlines()[1]
    assert row.split()[0] == "100"
    assert "sale is over" in row


@pytest.mark.parametrize("command", ["rotate", "pause", "resume"])
def test_a_page_that_was_never_added_is_one_line_and_leaves_the_queue_alone(
    run: Run, queue_open: redis.Redis, command: str
) -> None:
    ran = run("pages", command, "404", stdin=TOKEN, status=1)
    assert ran.err == "envoi: no page 404: add it with `envoi pages add 404`\n"
    assert queued(queue_open, "404") == {}


def test_without_redis_a_token_is_stored_and_the_operator_told_what_is_missing(
    run: Run, migrated: Engine, monkeypatch: pytest.MonkeyPatch, queue_open: redis.Redis
) -> None:
    reachable = settings().redis_url
    monkeypatch.setenv("ENVOI_REDIS_URL", "redis://127.0.0.1:1/0")
    for version, command in enumerate(("add", "rotate"), 1):
        ran = run("pages", command, "100", stdin=TOKEN, status=1)
        assert ran.out == ""
        assert f"envoi: page 100 has its token (version {version}) in the log, but the queue was not" in ran.err
        assert "Repeat the command when Redis answers" in ran.err
        assert token_of(migrated) == ("EAAsesame1", version)
    monkeypatch.setenv("ENVOI_REDIS_URL", reachable)
    run("pages", "rotate", "100", stdin=NEXT)
    assert queued(queue_open)["tv"] == "3"


def test_without_redis_pages_are_listed_as_the_log_knows_them(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("pages", "add", "100", stdin=TOKEN)
    run("pages", "pause", "100", "--reason", "holidays")
    monkeypatch.setenv("ENVOI_REDIS_URL", "redis://127.0.0.1:1/0")
    ran = run("pages", "list", "--json")
    assert "what follows is the log's knowledge alone" in ran.err
    (found,) = ran.json["pages"]
    assert (found["paused"], found["pause_reason"], found["in_flight"]) == (True, "holidays", None)


def test_without_redis_a_pause_changes_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("pages", "add", "100", stdin=TOKEN)
    monkeypatch.setenv("ENVOI_REDIS_URL", "redis://127.0.0.1:1/0")
    for command in ("pause", "resume"):
        assert run("pages", command, "100", status=1).err.startswith("envoi: Redis did not answer")
    assert run("pages", "list", "--json").json["pages"][0]["paused"] is False


def test_without_the_log_a_page_can_still_be_paused(
    run: Run, monkeypatch: pytest.MonkeyPatch, queue_open: redis.Redis
) -> None:
    run("pages", "add", "100", stdin=TOKEN)
    monkeypatch.setenv("ENVOI_DATABASE_URL", "postgresql://envoi:sesame@127.0.0.1:1/envoi")
    ran = run("pages", "pause", "100", status=1)
    assert ran.err.startswith("envoi: page 100 is paused in the queue, but the log could not record it")
    assert "sesame" not in ran.err
    assert queued(queue_open)["paused"] == "by an operator"


def test_without_a_key_nothing_is_stored(run: Run, migrated: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENVOI_SECRET_KEYS")
    ran = run("pages", "add", "100", stdin=TOKEN, status=1)
    assert ran.err.startswith("envoi: ENVOI_SECRET_KEYS is empty")
    with migrated.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM pages").scalar_one() == 0


def test_a_token_of_another_key_does_not_keep_pages_from_being_listed(
    run: Run, migrated: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    PageStore(migrated, SecretBox(settings().secret_keys)).add("100", SecretStr("EAAsesame1"))
    monkeypatch.setenv("ENVOI_SECRET_KEYS", "x" * 43 + "=")
    assert listed(run)["id"] == "100"


def test_pages_are_listed_paused_and_resumed_without_the_keys_of_their_tokens(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("pages", "add", "100", stdin=TOKEN)
    monkeypatch.delenv("ENVOI_SECRET_KEYS")
    run("pages", "pause", "100")
    assert listed(run)["state"] == "paused"
    run("pages", "resume", "100")
    assert listed(run)["state"] == "sends"


def test_a_page_is_listed_with_the_conversations_that_wait_for_it(run: Run) -> None:
    for page in ("100", "200", "300"):
        run("pages", "add", page, stdin=TOKEN)
    image = '{"attachment": {"type": "image", "payload": {"url": "https://shop.example/a.png"}}}'
    for person, message in (("7", ("hello",)), ("7", ("again",)), ("8", ("--message", image)), ("9", ("hello",))):
        run("send", "100", person, *message, "--lane", "bulk" if person == "9" else "replies")
    run("send", "200", "7", "hello")
    assert [listed(run, page)["waiting"] for page in ("100", "200", "300")] == [3, 1, 0]


def test_listing_pages_asks_the_log_for_no_jobs(run: Run, log_job: Callable[..., str]) -> None:
    run("pages", "add", "100", stdin=TOKEN)
    log_job("of-a-million", state="queued")
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        listed(run)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert any("FROM pages" in statement for statement in asked)
    assert not [statement for statement in asked if "jobs" in statement]


def test_resealed_tokens_are_read_with_the_newest_key_alone(
    run: Run, migrated: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("pages", "add", "100", stdin=TOKEN)
    old, new = settings().secret_keys[0].get_secret_value(), Fernet.generate_key().decode()
    monkeypatch.setenv("ENVOI_SECRET_KEYS", f"{new},{old}")
    assert run("pages", "reseal", "--json").json == {"resealed": 1}
    monkeypatch.setenv("ENVOI_SECRET_KEYS", new)
    settings.cache_clear()
    assert token_of(migrated) == ("EAAsesame1", 1)
    monkeypatch.setenv("ENVOI_SECRET_KEYS", old)
    assert "holds no key that this token was encrypted with" in run("pages", "reseal", status=1).err
