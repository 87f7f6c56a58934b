"""The schema of the log's database: made and changed by the migrations in ``migrations/``, beside ``envoi/``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from envoi.log.database import log_errors, open_log
from envoi.log.errors import SchemaMissing

try:
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory
except ImportError as error:
    raise ImportError("migrating the log needs Alembic: pip install 'envoi[worker]'") from error

# One migration at a time, and none that stops the log writer for long: a lock it cannot have at once is given up.
_LOCK_TIMEOUT, _STATEMENT_TIMEOUT = "5s", "10min"
_ADVISORY_LOCK = 0x656E766F69  # "envoi"
_LOCK_POLL = 0.1  # seconds


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
    """Bring the schema up to a revision, in one transaction.

    On PostgreSQL a migration that says ``concurrent`` builds its indexes while everybody goes on writing: it runs by
    itself, outside of a transaction, and may be run again where it was interrupted.

    Args:
        log: an engine, or the address of a database.
        revision: an Alembic revision, ``head`` for the newest.

    Raises:
        SchemaMissing: the migrations are not at hand.
        LogUnavailable: the database did not answer, or a lock was not free in time. What was done stays, and the same
            call goes on from there.
    """
    with _opened(log) as engine:
        for step in _concurrent(engine, revision):
            before = _script().get_revision(step).down_revision
            _migrate(engine, lambda config, to=str(before): _forward(config, to))  # type: ignore[misc]
            _migrate(engine, lambda config, to=step: _forward(config, to), concurrent=True)  # type: ignore[misc]
        _migrate(engine, lambda config: command.upgrade(config, revision))


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
    return [script.revision for script in _script().walk_revisions()]


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(None))


def _concurrent(engine: Engine, revision: str) -> list[str]:
    """The migrations that are to come and run by themselves, the first first."""
    if engine.dialect.name != "postgresql":
        return []
    pending = _script().iterate_revisions(revision, current_revision(engine) or "base")
    return [script.revision for script in pending if getattr(script.module, "concurrent", False)][::-1]


def _forward(config: Config, revision: str) -> None:
    """Upgrade, unless somebody else has gone further meanwhile."""
    found = MigrationContext.configure(config.attributes["connection"]).get_current_revision()
    known = [script.revision for script in _script().walk_revisions()]
    if found is None or known.index(revision) < known.index(found):
        command.upgrade(config, revision)


def _migrate(log: Engine | str, change: Callable[[Config], None], *, concurrent: bool = False) -> None:
    with _opened(log) as engine, log_errors(engine), _one_at_a_time(engine):
        if concurrent:
            # Each statement is a transaction of its own: PostgreSQL builds an index concurrently only so.
            with _by_itself(engine) as connection:
                change(_config(connection))
            return
        # SQLite: the write lock first, so that two migrations at once follow each other.
        with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'"))
                connection.execute(text(f"SET LOCAL statement_timeout = '{_STATEMENT_TIMEOUT}'"))
            change(_config(connection))


@contextmanager
def _one_at_a_time(engine: Engine) -> Iterator[None]:
    """Hold the one lock of migrations on PostgreSQL.

    It is asked for again and again, outside of any transaction: an index that is built concurrently waits for every
    transaction that was there before, so also for one that waits for this lock.
    """
    if engine.dialect.name != "postgresql":
        yield
        return
    with _by_itself(engine) as connection:
        while not connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _ADVISORY_LOCK}).scalar_one():
            time.sleep(_LOCK_POLL)
        yield


@contextmanager
def _by_itself(engine: Engine) -> Iterator[Connection]:
    """A connection outside of transactions, without time-outs: nobody waits for what waits here."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.detach()  # closed at the end, and with it the lock and these settings end
        connection.execute(text("SET lock_timeout = 0"))
        connection.execute(text("SET statement_timeout = 0"))
        yield connection


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
