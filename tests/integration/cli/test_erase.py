"""Erasing a person by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis
from sqlalchemy import Engine, create_engine, func, select

from envoi import outbox
from envoi.log import queries
from envoi.outbox.table import outbox as entries
from tests.integration.cli.conftest import Run

JOB = "01JDBQ8Z5V0000000000000001"


def test_what_was_erased_is_counted_and_a_second_time_it_is_nothing(
    run: Run, queue_open: redis.Redis, migrated: Engine, log_job: Callable[..., str]
) -> None:
    log_job(JOB, calls=3, recipient="7", recipient_id="7", message_id="m_1", key="k")
    log_job(JOB.replace("1", "2"), recipient="8")
    assert queue_open.dbsize() > 0
    counts = {"cancelled": 0, "jobs": 1, "broadcasts": 0, "outbox": 0, "outcomes": 0}
    assert run("erase", "100", "7", "--json").json == counts
    found = queries.job(migrated, JOB)
    assert found
    assert (found.recipient, found.recipient_id, found.message_id, found.key, found.payload) == (None,) * 5
    assert (found.page_id, found.state, len(queries.calls_of(migrated, JOB))) == ("100", "sent", 3)
    assert ["jobs", "0"] in [line.split() for line in run("erase", "100", "7").out.splitlines()]


def test_entries_of_the_outbox_go_too(
    run: Run, queue_open: redis.Redis, migrated: Engine, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/app.sqlite3"
    monkeypatch.setenv("ENVOI_OUTBOX_DATABASE_URL", url)
    engine = create_engine(url)
    outbox.metadata.create_all(engine)
    with engine.begin() as connection:
        for person in ("7", "7", "8"):
            outbox.send(connection, "100", person, "hello")
    assert run("erase", "100", "7", "--json").json["outbox"] == 2
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(entries)).scalar_one() == 1
    engine.dispose()
    assert queries.count_by_state(migrated) == {}
    assert queue_open.keys("*j:*") == []


def test_without_a_scheduler_it_says_that_the_log_is_behind(
    run: Run, queue_open: redis.Redis, migrated: Engine
) -> None:
    run("send", "100", "7", "hello")
    refused = run("erase", "100", "7", "--patience", "0", status=1)
    assert "the log is more than 0 s behind" in refused.err
    assert "run it again" in refused.err
    assert queue_open.keys("*j:*")
    assert queries.count_by_state(migrated) == {}


def test_a_person_who_cannot_be_is_refused(run: Run, queue_open: redis.Redis, migrated: Engine) -> None:
    assert "recipient.id: must be a string of 1 to 64 digits" in run("erase", "100", "seven", status=1).err
    assert (queue_open.keys("*j:*"), queries.count_by_state(migrated)) == ([], {})
