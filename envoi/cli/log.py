"""The log as the commands open it. Loads SQLAlchemy, so a command imports it only when it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from envoi.log import queries
from envoi.log.apps import AppStore
from envoi.log.database import open_log
from envoi.log.pages import PageStore
from envoi.log.secrets import SecretBox
from envoi.settings import settings

__all__ = ["opened", "opened_apps", "opened_pages", "queries"]


@contextmanager
def opened() -> Iterator[Engine]:
    """The log, closed at the end.

    Raises:
        LogError: ``ENVOI_DATABASE_URL`` is malformed.
    """
    engine = open_log(settings().database_url)
    try:
        yield engine
    finally:
        engine.dispose()


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
