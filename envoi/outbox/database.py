"""The connection to the app's own database, and its failures in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from envoi.errors import BadSettings, EnvoiError, Problem
from envoi.log.database import lacks_schema
from envoi.settings import settings

_WANTED = "must be an SQLAlchemy address of the app's database, for instance postgresql://…"


class OutboxUnavailable(EnvoiError):  # noqa: N818  # named like QueueUnavailable, its counterpart
    """The app's database did not answer, or has no table ``envoi_outbox``."""


def open_outbox(database_url: str | None = None) -> Engine:
    """An engine for the app's database; nothing is connected yet.

    Args:
        database_url: as SQLAlchemy takes it; without it ``ENVOI_OUTBOX_DATABASE_URL`` is read.

    Raises:
        BadSettings: it is missing or malformed.
    """
    given = database_url or settings().outbox_database_url
    if not given:
        raise BadSettings(Problem("ENVOI_OUTBOX_DATABASE_URL", f"is not set: {_WANTED}"))
    try:
        address = make_url(given)
        if address.drivername in {"postgres", "postgresql"}:
            address = address.set(drivername="postgresql+psycopg")  # the driver that envoi[worker] brings
        return create_engine(address, pool_pre_ping=True, hide_parameters=True)
    except (ArgumentError, NoSuchModuleError):
        # Not the driver's own words: they may repeat the address, password and all.
        name = "the outbox's address" if database_url else "ENVOI_OUTBOX_DATABASE_URL"
    raise BadSettings(Problem(name, _WANTED))


@contextmanager
def database_errors(engine: Engine) -> Iterator[None]:
    """Turn the database's errors into :class:`OutboxUnavailable`, without passwords and parameters."""
    where = engine.url.render_as_string(hide_password=True)
    try:
        yield
    except DBAPIError as error:
        if lacks_schema(error):
            raise OutboxUnavailable(f"{where} has no table envoi_outbox: envoi.outbox.metadata makes it") from error
        raise OutboxUnavailable(f"{where} did not do it: {error.orig}") from error
    except PoolTimeout as error:
        raise OutboxUnavailable(f"{where}: no connection became free in time") from error
