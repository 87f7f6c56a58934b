"""The schema of the log's database: made and changed by the migrations in ``migrations/``, beside ``envoi/``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from envoi.log.database import log_errors, open_log
from envoi.log.errors import LogUnavailable, SchemaMissing

try:
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory
except ImportError as error:
    raise ImportError("migrating the log needs Alembic: pip install 'envoi[worker]'") from error

# Whoever waits for a table's lock makes all that come later wait behind him, the log writer among them: so no migration
# waits longer than this, but it tries again.
_LOCK_TIMEOUT, _STATEMENT_TIMEOUT = "1s", "10min"
_PATIENCE, _REST = 60.0, 2.0  # seconds: until a lock, or another's migration, is given up; between two tries
_ADVISORY_LOCK = 0x656E766F69  # "envoi"
_LOCK_NOT_AVAILABLE = "55P03"


def migrations_folder() -> Path:
    """Where the migrations are.

    Raises:
        SchemaMissing: they are not beside the package ``envoi``: it was installed from a wheel.
    """
    folder = Path(__file__).resolve().parents[2] / "migrations"
    if not (folder / "env.py").is_file():
        raise SchemaMissing(f"no migrations in {folder}: run `envoi migrate` from a checkout of Envoi or its image")
    return folder


def upgrade(log: Engine | str, revision: str = "head") -> None:
    """Bring the schema up to a revision, while everything that uses the log goes on.

    On PostgreSQL each migration is a transaction of its own, and an index is built beside it (``online.py``): what was
    done stays done if a later one fails, and the next call goes on from there. On SQLite all are one transaction.

    Args:
        log: an engine, or the address of a database.
        revision: an Alembic revision, ``head`` for the newest.

    Raises:
        SchemaMissing: the migrations are not at hand.
        LogUnavailable: the database did not answer, or a lock was not free in time: try again.
    """
    _migrate(log, lambda config: command.upgrade(config, revision))


def downgrade(log: Engine | str, revision: str) -> None:
    """Bring the schema down to a revision, ``base`` for an empty database. Raises as :func:`upgrade` does."""
    _migrate(log, lambda config: command.downgrade(config, revision))


def current_revision(log: Engine | str) -> str | None:
    """The revision that the database is at; None: it was never migrated."""
    with _opened(log) as engine, log_errors(engine), engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def is_current(log: Engine | str) -> bool:
    """Whether the database is at the newest revision. Raises as :func:`upgrade` does."""
    return current_revision(log) == revisions()[0]


def revisions() -> list[str]:
    """All revisions that this version knows, the newest first.

    Raises:
        SchemaMissing: the migrations are not at hand.
    """
    return [script.revision for script in ScriptDirectory.from_config(_config(None)).walk_revisions()]


def _migrate(log: Engine | str, change: Callable[[Config], None]) -> None:
    with _opened(log) as engine, log_errors(engine):
        if engine.dialect.name == "postgresql":
            with engine.connect() as connection:
                _one_at_a_time(connection, change)
        else:
            # The write lock first, so that two migrations at once follow each other.
            with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
                change(_config(connection))


def _one_at_a_time(connection: Connection, change: Callable[[Config], None]) -> None:
    _execute(connection, f"SET lock_timeout = '{_LOCK_TIMEOUT}'")
    _execute(connection, f"SET statement_timeout = '{_STATEMENT_TIMEOUT}'")
    _take_turn(connection)
    try:
        _until_locks_are_free(lambda: change(_config(connection)))
    finally:
        connection.rollback()
        connection.detach()  # what was set here, and our turn, end with the connection


def _take_turn(connection: Connection) -> None:
    """Wait for other migrations.

    By asking again and again: a session that waits inside a statement would be waited for by the other's CREATE INDEX
    CONCURRENTLY, and both would wait for ever.
    """
    ends = time.monotonic() + _PATIENCE
    while not _execute(connection, f"SELECT pg_try_advisory_lock({_ADVISORY_LOCK})"):
        if time.monotonic() > ends:
            raise LogUnavailable("another migration is under way; see to it, and try again")
        time.sleep(min(_REST, 0.2))


def _until_locks_are_free(change: Callable[[], None]) -> None:
    ends = time.monotonic() + _PATIENCE
    while True:
        try:
            change()
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE or time.monotonic() + _REST > ends:
                raise
            time.sleep(_REST)  # those who waited behind us have their turn
        else:
            return


def _execute(connection: Connection, statement: str) -> object:
    """One statement in a transaction of its own: nothing that we hold open may stop an index from being built."""
    result = connection.execute(text(statement))
    found = result.scalar() if result.returns_rows else None
    connection.commit()
    return found


def _config(connection: Connection | None) -> Config:
    config = Config()  # no alembic.ini: the folder and the connection are all there is to say
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@contextmanager
def _opened(log: Engine | str) -> Iterator[Engine]:
    if isinstance(log, Engine):
        yield log
        return
    engine = open_log(log)
    try:
        yield engine
    finally:
        engine.dispose()
