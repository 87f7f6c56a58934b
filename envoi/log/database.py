"""The connection to the log's database, and its failures in our words."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    InterfaceError,
    InternalError,
    NoSuchModuleError,
    OperationalError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from envoi.log.errors import LogError, LogUnavailable, SchemaMissing

_BUSY_SECONDS = 5.0  # how long a writer of SQLite waits for another
_BUSY_POLL = 0.02
_POSTGRES_SESSION = (
    "SET statement_timeout = '30s'; SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '60s'"
)
_UNDEFINED_TABLE, _UNDEFINED_COLUMN = "42P01", "42703"


def open_log(url: str) -> Engine:
    """An engine for the log. Nothing is connected yet.

    Args:
        url: an SQLAlchemy address: ``sqlite:///file`` or ``postgresql://…`` (with psycopg, the one driver we ship).

    Raises:
        LogError: the address is malformed, or names another database.
    """
    try:
        address = make_url(url)
    except ArgumentError:
        # Not the driver's own words: they repeat the address, password and all.
        raise LogError("ENVOI_DATABASE_URL: must be an SQLAlchemy address, for instance postgresql://…") from None
    if address.drivername in {"postgres", "postgresql"}:
        address = address.set(drivername="postgresql+psycopg")
    try:
        return _open_sqlite(address) if address.get_backend_name() == "sqlite" else _open_postgres(address)
    except NoSuchModuleError as error:
        raise LogError(f"ENVOI_DATABASE_URL: {error}; use sqlite:/// or postgresql://") from None


@contextmanager
def opened_log(url: str) -> Iterator[Engine]:
    """A log that somebody has made, closed at the end.

    Args:
        url: as :func:`open_log` takes it.

    Raises:
        LogError: as there.
        SchemaMissing: it is a file of SQLite that is not there. To connect would make it, and hide a mistyped name.
    """
    engine = open_log(url)
    try:
        if engine.dialect.name == "sqlite":
            _see_file(engine.url.database or "")
        yield engine
    finally:
        engine.dispose()


def _see_file(name: str) -> None:
    a_file = name and name != ":memory:" and not name.startswith("file:")  # the last is SQLite's own kind of address
    if a_file and not Path(name).exists():
        raise SchemaMissing(f"the file {name} is not there: run `envoi migrate`, or correct ENVOI_DATABASE_URL")


def _open_sqlite(address: URL) -> Engine:
    engine = create_engine(address, hide_parameters=True, connect_args={"timeout": _BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:  # noqa: ANN401  # a DBAPI connection
        connection.isolation_level = None  # or the driver commits before each CREATE and ALTER
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous = NORMAL")  # in WAL mode: a crash corrupts nothing
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")

    return engine


def _write_ahead(connection: Any) -> None:  # noqa: ANN401  # a DBAPI connection
    """Put SQLite into WAL mode. It does not wait for a lock there, as it does everywhere else: so we do."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_BUSY_POLL)
        else:
            return


def _open_postgres(address: URL) -> Engine:
    if address.get_backend_name() != "postgresql":
        raise LogError(f"ENVOI_DATABASE_URL: {address.get_backend_name()} is not supported; use sqlite or postgresql")
    engine = create_engine(
        address,
        hide_parameters=True,  # parameters hold message texts; errors reach logs
        pool_size=4,
        max_overflow=4,
        pool_timeout=10,
        pool_pre_ping=True,
        pool_use_lifo=True,
        connect_args={
            "connect_timeout": 3,
            "application_name": "envoi",
            # A database that vanishes with its network is noticed in seconds, not in the kernel's quarter of an hour.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 15_000,
        },
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:  # noqa: ANN401  # a DBAPI connection
        connection.execute(_POSTGRES_SESSION)
        connection.commit()

    return engine


@contextmanager
def log_errors(engine: Engine) -> Iterator[None]:
    """Turn the database's errors into ours, without passwords and parameters.

    Raises:
        LogUnavailable: it did not answer, refused the connection, cannot write now (a standby, a full disk), or is a
            file that is no database.
        SchemaMissing: it has no tables, or older ones.
    """
    try:
        yield
    except DBAPIError as error:
        where = engine.url.render_as_string(hide_password=True)
        if lacks_schema(error):
            raise SchemaMissing(f"{where} has no tables of this version: run `envoi migrate`") from error
        # A plain DatabaseError is SQLite's: the file is no database, or a damaged one.
        if isinstance(error, (OperationalError, InterfaceError, InternalError)) or type(error) is DatabaseError:
            raise LogUnavailable(f"{where} did not do it: {error.orig}") from error
        raise
    except PoolTimeout as error:
        where = engine.url.render_as_string(hide_password=True)
        raise LogUnavailable(f"{where}: no connection became free in time") from error


def lacks_schema(error: DBAPIError) -> bool:
    """Whether the database lacks a table or a column that we know."""
    if isinstance(error, ProgrammingError):
        return getattr(error.orig, "sqlstate", None) in {_UNDEFINED_TABLE, _UNDEFINED_COLUMN}
    return isinstance(error, OperationalError) and str(error.orig).startswith(("no such table", "no such column"))
