"""The outbox by hand: what waits, what was refused and why, once more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from sqlalchemy import Engine

from envoi import outbox
from envoi.outbox.database import open_outbox
from envoi.queue.keys import Keys
from tests.integration.cli.conftest import Run

KEYS = Keys()


@pytest.fixture
def app_database(monkeypatch: pytest.MonkeyPatch, database_url: str) -> Iterator[Engine]:
    """An app's database with an outbox that the command finds."""
    monkeypatch.setenv("ENVOI_OUTBOX_DATABASE_URL", database_url)
    engine = open_outbox(database_url)
    outbox.metadata.create_all(engine)
    yield engine
    engine.dispose()


def test_refused_rows_are_listed_without_their_text_and_tried_again(
    run: Run, app_database: Engine, queue_open: redis.Redis
) -> None:
    with app_database.begin() as connection:
        first = outbox.send(connection, "100", "7", "one", key="k")
        second = outbox.send(connection, "100", "7", "for your eyes only", key="k")
    assert [row["job_id"] for row in run("outbox", "list", "--json").json["rows"]] == [first, second]
    assert run("outbox", "relay", "--once").out == "2 rows\n"
    [row] = run("outbox", "list", "--refused", "--json").json["rows"]
    assert (row["job_id"], row["error"].partition(":")[0]) == (second, "KeyConflict")
    shown = run("outbox", "list").out
    assert second in shown
    assert "eyes" not in shown
    queue_open.delete(*queue_open.keys("*k:100:*"))
    assert run("outbox", "retry", first).out == "0 rows\n"
    assert run("outbox", "retry", second, "--json").json == {"rows": 1}
    assert run("outbox", "relay", "--once").out == "1 rows\n"
    assert run("outbox", "list", "--json").json == {"rows": []}
    assert queue_open.lrange(KEYS.line("100/id/7"), 0, -1) == [first, second]


def test_a_database_goes_before_the_setting(
    run: Run, app_database: Engine, monkeypatch: pytest.MonkeyPatch, queue_open: redis.Redis
) -> None:
    url = app_database.url.render_as_string(hide_password=False)
    monkeypatch.setenv("ENVOI_OUTBOX_DATABASE_URL", "sqlite:////nowhere/at/all.sqlite3")
    assert run("outbox", "relay", "--once", "--database", url).out == "0 rows\n"
    assert "the outbox's address: must be" in run("outbox", "list", "--database", "nowhere", status=1).err
    assert queue_open.dbsize() > 0


@pytest.mark.parametrize("command", [["relay", "--once"], ["list"], ["retry"]])
def test_what_is_wrong_with_the_database_is_one_line_without_its_password(
    run: Run, monkeypatch: pytest.MonkeyPatch, sqlite_url: str, redis_url: str, command: list[str]
) -> None:
    monkeypatch.setenv("ENVOI_REDIS_URL", redis_url)
    for url, why in (
        ("", "ENVOI_OUTBOX_DATABASE_URL: is not set"),
        ("sesame", "ENVOI_OUTBOX_DATABASE_URL: must be an SQLAlchemy address"),
        ("postgresql://shop:sesame@127.0.0.1:1/shop", "postgresql+psycopg://shop:***@127.0.0.1:1/shop did not do it"),
        (sqlite_url, "has no table envoi_outbox"),
    ):
        monkeypatch.setenv("ENVOI_OUTBOX_DATABASE_URL", url)
        ran = run("outbox", *command, status=1)
        assert why in ran.err
        assert "sesame" not in ran.err
        assert "Traceback" not in ran.err
