"""Logs as ``envoi migrate`` makes them: migrated once a run, then copied or emptied for each test.

To migrate takes longer than most tests.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString

import psycopg
from sqlalchemy import Engine, make_url

from envoi.log.database import open_log
from envoi.log.schema import upgrade

_OTHERS: LiteralString = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
)
# By number, not by name: what was dropped and made again is another one.
_SHAPE: LiteralString = """
WITH ours AS (SELECT oid, relname FROM pg_class WHERE relnamespace = 'public'::regnamespace)
SELECT array_agg(part ORDER BY part) FROM (
    SELECT concat_ws(' ', 'column', attrelid, attnum, attname, atttypid, attnotnull, atthasdef) AS part
        FROM pg_attribute JOIN ours ON ours.oid = attrelid
    UNION ALL SELECT concat_ws(' ', 'index', indexrelid, indisvalid) FROM pg_index JOIN ours ON ours.oid = indrelid
    UNION ALL SELECT concat_ws(' ', 'constraint', c.oid, conname, convalidated) FROM pg_constraint c
        JOIN ours ON ours.oid = conrelid
    UNION ALL SELECT concat_ws(' ', 'function', oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
) AS parts
"""
_TABLES: LiteralString = (
    "SELECT string_agg(format('%I', tablename), ', ') FROM pg_tables"
    " WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
)


@contextmanager
def closing_log(url: str) -> Iterator[Engine]:
    """A log, opened; it is closed at the end."""
    engine = open_log(url)
    try:
        yield engine
    finally:
        engine.dispose()


class MigratedSQLite:
    """A migrated file to copy.

    Args:
        folder: where to keep it.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "migrated.sqlite3"

    def copy_to(self, url: str) -> None:
        """Make a new log.

        Args:
            url: its address; there is no file yet.
        """
        if not self._file.exists():
            upgrade(f"sqlite:///{self._file}")
        shutil.copyfile(self._file, make_url(url).database or "")


class EmptyPostgres:
    """A database that one test after the other finds empty, of tables or of rows.

    Args:
        url: its address: ``postgresql+psycopg://…``.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._shape: object = None

    def empty(self) -> None:
        """Nobody is connected, and there is no table."""
        with psycopg.connect(self._address, autocommit=True) as connection:
            connection.execute(_OTHERS)
            connection.execute("DROP SCHEMA IF EXISTS public CASCADE")
            connection.execute("CREATE SCHEMA public")

    def migrated(self) -> None:
        """Nobody is connected, and the tables are as the migrations make them, without a row."""
        with psycopg.connect(self._address, autocommit=True) as connection:
            connection.execute(_OTHERS)
            if self._shape is not None and self._shape == _shape(connection):
                tables = connection.execute(_TABLES).fetchone()
                assert tables
                connection.execute(f"TRUNCATE {tables[0]} RESTART IDENTITY CASCADE")
                return
        self.empty()
        upgrade(self.url)
        with psycopg.connect(self._address) as connection:
            self._shape = _shape(connection)


def _shape(connection: psycopg.Connection) -> object:
    """All tables, indexes and constraints, and the revision they are of; None where nothing was migrated."""
    known = connection.execute("SELECT to_regclass('public.alembic_version')").fetchone()
    if not known or known[0] is None:
        return None
    return connection.execute(_SHAPE).fetchone(), connection.execute("SELECT * FROM alembic_version").fetchall()
