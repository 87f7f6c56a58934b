"""Migrations while the log is in use: only what a table that stands bears, and nobody waits for them for long."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, Engine, event, text

from envoi.log import online, schema
from envoi.log.database import open_log
from envoi.log.errors import LogUnavailable
from tests.waiting import wait_until

REVISIONS = sorted(schema.revisions())
# What a revision may do to tables that stood before it. The last but one is for tables of a few rows only; the version
# before does not rely on what the last takes away.
EXPANDS = (
    r"ALTER TABLE \w+ ADD COLUMN (IF NOT EXISTS )?\w+ [A-Z0-9 ]+",
    r"CREATE (UNIQUE )?INDEX CONCURRENTLY (IF NOT EXISTS )?\w+ ON \w+ .+",
    r"DROP INDEX CONCURRENTLY \w+",
    r"ALTER TABLE (pages|apps) ADD CONSTRAINT \w+ FOREIGN KEY.+",
    r"ALTER TABLE calls DROP CONSTRAINT fk_calls_job_id",
)
_SETS_NOTHING_UP = re.compile(r"^(SELECT|SHOW|SET|BEGIN|COMMIT|(INSERT INTO|UPDATE|DELETE FROM) alembic_version)\b")
_INSERT = text(
    "INSERT INTO jobs (id, enqueued_at, state, attempts, page_id, recipient) VALUES (:id, now(), 'queued', 0, 'p', 'r')"
)


@pytest.fixture
def log(postgres_url: str) -> Iterator[Engine]:
    engine = open_log(postgres_url)
    yield engine
    engine.dispose()


@contextmanager
def overheard(engine: Engine) -> Iterator[list[str]]:
    """Every statement that an engine sends."""
    told: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        told.append(" ".join(statement.split()))

    event.listen(engine, "before_cursor_execute", hear)
    yield told
    event.remove(engine, "before_cursor_execute", hear)


def judged(statements: list[str]) -> list[str]:
    """Of a revision's statements those that a log in use does not bear."""
    made: set[str] = set()
    bad = []
    for statement in statements:
        if creates := re.match(r"CREATE TABLE (\w+) ", statement):
            made.add(creates[1])
            continue
        if _SETS_NOTHING_UP.match(statement):
            continue
        on = re.search(r"(?:ALTER TABLE|\bON) (\w+)", statement)
        if on and on[1] in made:  # nobody else knows the table yet
            continue
        expands = any(re.fullmatch(allowed, statement) for allowed in EXPANDS)
        if not expands or re.search(r"ADD COLUMN.*\b(NOT NULL|DEFAULT|UNIQUE|PRIMARY|REFERENCES)\b", statement):
            bad.append(statement)
    return bad


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_revision_only_adds_what_the_version_before_can_live_with(log: Engine, revision: str) -> None:
    before = REVISIONS.index(revision)
    if before:
        schema.upgrade(log, REVISIONS[before - 1])
    with overheard(log) as statements:
        schema.upgrade(log, revision)
    assert judged(statements) == []
    assert any("alembic_version" in statement for statement in statements)
    assert any(statement.startswith("SET lock_timeout") for statement in statements)
    assert any(statement.startswith("SET statement_timeout") for statement in statements)


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE jobs",
        "ALTER TABLE jobs DROP COLUMN key",
        "ALTER TABLE jobs RENAME TO work",
        "ALTER TABLE jobs RENAME COLUMN key TO name",
        "ALTER TABLE jobs ALTER COLUMN attempts TYPE BIGINT",
        "ALTER TABLE jobs ALTER COLUMN key SET NOT NULL",
        "ALTER TABLE jobs ADD COLUMN colour TEXT NOT NULL",
        "ALTER TABLE jobs ADD COLUMN colour TEXT DEFAULT random()",
        "ALTER TABLE jobs ADD COLUMN page TEXT REFERENCES pages",
        "ALTER TABLE calls DROP CONSTRAINT uq_calls_job_id_started_at_step",
        "ALTER TABLE jobs ADD CONSTRAINT x FOREIGN KEY(page_id) REFERENCES pages (id)",
        "CREATE INDEX ix ON jobs (key)",
        "CREATE UNIQUE INDEX ix ON jobs (key)",
        "DROP INDEX ix",
        "UPDATE jobs SET state = 'sent'",
        "DELETE FROM calls",
        "LOCK TABLE jobs",
    ],
)
def test_what_a_log_in_use_does_not_bear_would_be_seen(statement: str) -> None:
    assert judged([statement]) == [statement]
    assert judged(["CREATE TABLE others (id TEXT)", statement]) == [statement]


class Migration(threading.Thread):
    """An upgrade in a thread of its own; ``error`` is what it met."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(daemon=True)
        self._engine = engine
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            schema.upgrade(self._engine)
        except Exception as error:  # noqa: BLE001  # told in the main thread
            self.error = error


def waits(watcher: Connection, statement: str) -> bool:
    """Whether somebody waits for a lock with such a statement."""
    asked = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE :like")
    found = watcher.execute(asked, {"like": f"{statement}%"}).scalar_one()
    watcher.commit()
    return bool(found)


def write(log: Engine, name: str) -> None:
    """One row, as the log writer does it; given up where it would wait for half a minute."""
    with log.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '30s'"))
        connection.execute(_INSERT, {"id": name})


def test_writers_go_on_while_a_migration_waits_for_a_long_reader(log: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    schema.upgrade(log, "0004")
    monkeypatch.setattr(schema, "_LOCK_TIMEOUT", "200ms")
    monkeypatch.setattr(schema, "_REST", 0.05)
    migration = Migration(log)
    with log.connect() as reader, log.connect() as watcher:
        reader.execute(text("SELECT count(*) FROM jobs"))  # and its transaction stays open
        migration.start()
        for number in range(4):
            # The migration waits, and the writer behind it: it is let through once the migration has given up its turn.
            wait_until(lambda: waits(watcher, "ALTER TABLE jobs"), "the migration waits for the reader")
            write(log, f"row {number}")
        assert migration.is_alive()
        reader.rollback()
        # It has all locks now, or will at its next try; then it builds its index.
        migration.join(60)
    assert not migration.is_alive()
    assert migration.error is None
    assert schema.is_current(log)
    with log.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM jobs")).scalar_one() == 4


def test_an_index_is_built_while_rows_are_written(log: Engine) -> None:
    schema.upgrade(log, "0001")
    write(log, "before")
    migration = Migration(log)
    with log.connect() as reader, log.connect() as watcher:
        reader.execution_options(isolation_level="REPEATABLE READ")
        reader.execute(text("SELECT count(*) FROM jobs"))
        migration.start()
        wait_until(lambda: waits(watcher, "CREATE INDEX CONCURRENTLY"), "the index waits for an old reader")
        for number in range(3):
            write(log, f"row {number}")
        assert waits(watcher, "CREATE INDEX CONCURRENTLY")
        reader.rollback()
        migration.join(60)
    assert not migration.is_alive()
    assert migration.error is None
    assert schema.is_current(log)
    assert invalid(log) == []


def test_an_index_that_was_left_half_built_is_built_again(log: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    schema.upgrade(log, "0001")
    with log.connect() as reader:
        reader.execution_options(isolation_level="REPEATABLE READ")
        reader.execute(text("SELECT count(*) FROM jobs"))
        monkeypatch.setattr(online, "_BUILD_TIMEOUT", "300ms")
        with pytest.raises(LogUnavailable, match="statement timeout"):
            schema.upgrade(log)
    assert schema.current_revision(log) == "0001"
    assert invalid(log) == ["ix_jobs_settled_at_text"]
    monkeypatch.undo()
    schema.upgrade(log)
    assert schema.is_current(log)
    assert invalid(log) == []


def test_a_second_migration_waits_for_the_first_and_does_not_stop_it(log: Engine) -> None:
    """Two that wait for each other would be a deadlock: one builds an index, one waits for its turn."""
    schema.upgrade(log, "0001")
    first, second = Migration(log), Migration(log)
    with log.connect() as reader, log.connect() as watcher:
        reader.execution_options(isolation_level="REPEATABLE READ")
        reader.execute(text("SELECT count(*) FROM jobs"))
        first.start()
        wait_until(lambda: waits(watcher, "CREATE INDEX CONCURRENTLY"), "the index waits for an old reader")
        with overheard(log) as told:
            second.start()
            asks = "SELECT pg_try_advisory_lock"
            wait_until(lambda: any(statement.startswith(asks) for statement in told), "the second asks for its turn")
        reader.rollback()
        for migration in (first, second):
            migration.join(60)
            assert not migration.is_alive()
            assert migration.error is None
    assert schema.is_current(log)


def invalid(log: Engine) -> list[str]:
    """Indexes that are only half there."""
    asked = "SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE NOT indisvalid"
    with log.connect() as connection:
        return list(connection.execute(text(asked)).scalars())
