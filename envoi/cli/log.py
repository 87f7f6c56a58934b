"""The log as the commands open it. Loads SQLAlchemy, so a command imports it only when it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, select

from envoi.log import queries, tables
from envoi.log.apps import AppStore
from envoi.log.database import log_errors, opened_log
from envoi.log.pages import PageStore
from envoi.log.secrets import SecretBox
from envoi.settings import settings

__all__ = ["ids", "opened", "opened_apps", "opened_pages", "queries"]

_OFFERED = 100  # ids, as many as a person may want to look through


@contextmanager
def opened() -> Iterator[Engine]:
    """The log, closed at the end.

    Raises:
        LogError: ``ENVOI_DATABASE_URL`` is malformed, or names a file that is not there.
    """
    with opened_log(settings().database_url) as engine:
        yield engine


@contextmanager
def opened_pages(*, keys: bool = True) -> Iterator[PageStore]:
    """The pages in the log.

    Args:
        keys: whether tokens are written or read; without, ``ENVOI_SECRET_KEYS`` may be empty.

    Raises:
        LogError: ``ENVOI_DATABASE_URL`` or ``ENVOI_SECRET_KEYS`` is malformed.
    """
    box = SecretBox(settings().secret_keys) if keys else None
    with opened() as engine:
        yield PageStore(engine, box)


@contextmanager
def opened_apps(*, keys: bool = True) -> Iterator[AppStore]:
    """The apps in the log.

    Args:
        keys: whether secrets are written or read; without, ``ENVOI_SECRET_KEYS`` may be empty.

    Raises:
        LogError: ``ENVOI_DATABASE_URL`` or ``ENVOI_SECRET_KEYS`` is malformed.
    """
    box = SecretBox(settings().secret_keys) if keys else None
    with opened() as engine:
        yield AppStore(engine, box)


def ids(table: str, beginning: str) -> list[str]:
    """Ids in a table of the log that begin so, the newest first where ids tell that; at most 100.

    Raises:
        LogError: the log cannot be read.
    """
    column = tables.metadata.tables[table].c.id
    with opened() as engine:
        wanted = (
            select(column).where(column.startswith(beginning, autoescape=True)).order_by(column.desc()).limit(_OFFERED)
        )
        with log_errors(engine), engine.connect() as connection:
            return list(connection.execute(wanted).scalars())
