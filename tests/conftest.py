"""Fixtures: real servers, started when the first test asks for them and stopped at the end of the run.

``ENVOI_TEST_REDIS_URL`` and ``ENVOI_TEST_DATABASE_URL`` (a PostgreSQL) name servers to use instead of our own. The
tests empty both again and again, so a database whose name does not say ``test`` is refused.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from cryptography.fernet import Fernet
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from sqlalchemy import make_url
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from demo.postgres_server import PostgresServer
from demo.redis_server import RedisServer
from envoi import settings as envoi_settings

# The tests start some hundred processes: each would compile all of our code where nobody may write that down.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# How fast examples are drawn is the machine's matter.
hypothesis_settings.register_profile("envoi", suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("envoi")

GIVEN_REDIS_URL = os.environ.get("ENVOI_TEST_REDIS_URL")
GIVEN_DATABASE_URL = os.environ.get("ENVOI_TEST_DATABASE_URL")


class WholeEnvoisInTurn(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships half of its types
    """Where tests run in two processes, those that start whole Envois run one after the other, in one of the two.

    The groups of ``--dist loadgroup`` do nothing under pytest 9.2: xdist 3.8 writes their names into an attribute that
    is no longer read.
    """

    def _split_scope(self, nodeid: str) -> str:
        return "whole" if nodeid.startswith(("tests/acceptance/", "tests/browser/", "tests/faults/")) else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> WholeEnvoisInTurn:
    return WholeEnvoisInTurn(config, log)


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No setting of the developer's shell reaches a test, and none of one test reaches another."""
    for name in os.environ:
        if name.startswith("ENVOI_"):
            monkeypatch.delenv(name)
    envoi_settings.settings.cache_clear()
    yield
    envoi_settings.settings.cache_clear()


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """A command that ran in this process leaves no handler behind: its standard error is closed by then."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    for handler in list(root.handlers):
        if handler not in handlers and not type(handler).__module__.startswith("_pytest"):
            root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture(scope="session")
def redis_server_url() -> Iterator[str]:
    """A real Redis for the whole run, without AOF."""
    if GIVEN_REDIS_URL:
        yield GIVEN_REDIS_URL
        return
    with RedisServer(aof=False) as server:
        yield server.url


@pytest.fixture(scope="session")
def postgres_server_url() -> Iterator[str]:
    """A database of a real PostgreSQL for the whole run: ``postgresql+psycopg://…``."""
    if GIVEN_DATABASE_URL:
        if "test" not in (make_url(GIVEN_DATABASE_URL).database or ""):
            pytest.fail("ENVOI_TEST_DATABASE_URL: the tests empty it, so its name must contain 'test'")
        yield GIVEN_DATABASE_URL
        return
    with PostgresServer() as server:
        yield server.url


@pytest.fixture
def redis_url(redis_server_url: str) -> str:
    """The address of an empty Redis that knows no scripts, as after a restart."""
    with redis.Redis.from_url(redis_server_url) as client:
        client.flushall()
        client.script_flush()
    return redis_server_url


@pytest.fixture
def redis_client(redis_url: str) -> Iterator[redis.Redis]:
    """A client of the empty Redis that gives text, not bytes."""
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def postgres_url(postgres_server_url: str) -> str:
    """The address of an empty PostgreSQL database that nobody else is connected to."""
    address = make_url(postgres_server_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
        )
        connection.execute("DROP SCHEMA IF EXISTS public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return postgres_server_url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The address of a SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'log.sqlite3'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database, once SQLite and once PostgreSQL."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture
def secret_key() -> str:
    """A fresh Fernet key, as ``ENVOI_SECRET_KEYS`` takes it."""
    return Fernet.generate_key().decode()
