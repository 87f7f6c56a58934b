"""The migrations make what envoi/log/tables.py describes, and take it away again."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, insert, inspect, select, text

from demo.ports import free_port
from envoi.log import queries, schema
from envoi.log.database import open_log
from envoi.log.errors import LogUnavailable, SchemaMissing
from envoi.log.tables import calls, jobs, metadata


def differences(engine: Engine) -> list[object]:
    """What an Alembic migration would still have to change."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, metadata))


def test_the_migrations_make_exactly_the_tables_that_the_code_knows(engine: Engine) -> None:
    assert differences(engine) == []
    assert schema.is_current(engine)


def test_a_difference_between_tables_and_migrations_would_be_seen(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE calls ADD COLUMN colour text"))
        connection.execute(text("DROP INDEX ix_jobs_enqueued_at"))
    assert len(differences(engine)) == 2


def test_up_down_and_up_again(database_url: str) -> None:
    engine = open_log(database_url)
    assert schema.current_revision(engine) is None
    assert not schema.is_current(engine)
    schema.upgrade(engine)
    assert schema.is_current(engine)
    schema.downgrade(engine, "base")
    assert set(inspect(engine).get_table_names()) == {"alembic_version"}
    assert schema.current_revision(engine) is None
    schema.upgrade(engine)
    assert differences(engine) == []
    engine.dispose()


def test_on_the_way_down_calls_without_a_job_are_left_behind(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(insert(jobs).values(id="A", state="sent", attempts=1, enqueued_at=datetime.now(UTC)))
        for job_id in ("A", "GONE"):
            made = {"step": "message", "started_at": datetime.now(UTC), "duration_ms": 1.5, "verdict": "Accepted"}
            connection.execute(insert(calls).values(job_id=job_id, **made))
    schema.downgrade(engine, "0010")
    schema.upgrade(engine)
    with engine.connect() as connection:
        assert connection.execute(select(calls.c.job_id)).scalars().all() == ["A"]
    assert differences(engine) == []


def test_upgrading_twice_changes_nothing_the_second_time(engine: Engine) -> None:
    schema.upgrade(engine)
    assert differences(engine) == []


def test_two_upgrades_at_once_both_succeed(database_url: str) -> None:
    errors: list[BaseException] = []

    def migrate() -> None:
        try:
            schema.upgrade(database_url)
        except BaseException as error:  # noqa: BLE001  # told in the main thread
            errors.append(error)

    threads = [threading.Thread(target=migrate) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert schema.is_current(database_url)


def test_a_migration_that_cannot_have_a_lock_gives_up_and_the_next_call_goes_on(postgres_url: str) -> None:
    engine = open_log(postgres_url)
    schema.upgrade(engine)
    with engine.connect() as holder:
        holder.execute(text("SELECT * FROM jobs"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(schema, "_LOCK_TIMEOUT", "50ms")
            patch.setattr(schema, "_PATIENCE", 0.1)
            with pytest.raises(LogUnavailable, match="lock timeout"):
                schema.downgrade(engine, "base")
    assert schema.current_revision(engine) is not None  # not half of a migration
    schema.upgrade(engine)
    assert differences(engine) == []
    engine.dispose()


def test_a_database_without_tables_is_named_with_the_way_out(database_url: str) -> None:
    engine = open_log(database_url)
    with pytest.raises(SchemaMissing, match="envoi migrate"):
        queries.jobs(engine)
    engine.dispose()


def test_an_installed_wheel_says_where_the_migrations_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(schema, "__file__", str(tmp_path / "site-packages" / "envoi" / "log" / "schema.py"))
    with pytest.raises(SchemaMissing, match="checkout of Envoi or its image"):
        schema.upgrade(f"sqlite:///{tmp_path / 'log.sqlite3'}")


def test_no_error_shows_the_password() -> None:
    engine = open_log(f"postgresql://envoi:hunter2@127.0.0.1:{free_port()}/log")
    for ask in (lambda: queries.jobs(engine), lambda: schema.upgrade(engine), lambda: schema.is_current(engine)):
        with pytest.raises(LogUnavailable) as raised:
            ask()
        assert "hunter2" not in str(raised.value)
        assert "hunter2" not in str(raised.value.__cause__)
        assert "127.0.0.1" in str(raised.value)
    engine.dispose()


def test_no_error_shows_a_message_text(engine: Engine) -> None:
    with pytest.raises(Exception, match="jobs") as raised, engine.begin() as connection:
        connection.execute(text("INSERT INTO jobs (id, state) VALUES (:id, :state)"), {"id": "A", "state": "secret"})
    assert "secret" not in str(raised.value).partition("DETAIL")[0]
