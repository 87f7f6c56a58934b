"""The schema of the log's database: made and changed by the migrations in ``migrations/``, beside ``envoi/``."""

from __future__ import annotations

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
    """Bring the schema up to a revision; all migrations of one call in one transaction.

    Args:
        log: an engine, or the address of a database.
        revision: an Alembic revision, ``head`` for the newest.

    Raises:
        SchemaMissing: the migrations are not at hand.
        LogUnavailable: the database did not answer, or a lock was not free in time. Nothing has changed.
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
    with (
        _opened(log) as engine,
        log_errors(engine),
        # SQLite: the write lock first, so that two migrations at once follow each other.
        engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection,
    ):
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'"))
            connection.execute(text(f"SET LOCAL statement_timeout = '{_STATEMENT_TIMEOUT}'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK})
        change(_config(connection))


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
