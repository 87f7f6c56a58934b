"""Fixtures: real servers, started when the first test asks for them and stopped at the end of the run.

``ENVOI_TEST_REDIS_URL`` and ``ENVOI_TEST_DATABASE_URL`` (a PostgreSQL) name servers to use instead of our own. The
tests empty both again and again, so a database whose name does not say ``test`` is refused.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import structlog
from cryptography.fernet import Fernet
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from sqlalchemy import Engine, make_url
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from demo.postgres_server import PostgresServer
from demo.redis_server import RedisServer
from envoi import settings as envoi_settings
from tests.integration.sandbox.client import Client, sandbox_process
from tests.migrated import EmptyPostgres, MigratedSQLite, closing_log

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
def _own_logging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A command that ran in this process leaves no logs of its own behind: its standard error is closed by then."""
    root, configure = logging.getLogger(), structlog.configure
    handlers, level = list(root.handlers), root.level

    def uncached(**options: Any) -> None:  # a logger that is cached outlives every reset
        configure(**{**options, "cache_logger_on_first_use": False})

    monkeypatch.setattr(structlog, "configure", uncached)
    yield
    structlog.reset_defaults()
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
def connection_tries(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The connections to Redis that redis-py has tried to open; grows with each try."""
    tries: list[object] = []
    connect_once: Any = redis.Connection._connect

    def counted(connection: redis.Connection) -> object:
        tries.append(connection)
        return connect_once(connection)

    monkeypatch.setattr(redis.Connection, "_connect", counted)
    return tries


@pytest.fixture
def redis_client(redis_url: str) -> Iterator[redis.Redis]:
    """A client of the empty Redis that gives text, not bytes."""
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


@pytest.fixture(scope="session")
def postgres_database(postgres_server_url: str) -> EmptyPostgres:
    """That database, to be emptied."""
    return EmptyPostgres(postgres_server_url)


@pytest.fixture
def postgres_url(postgres_database: EmptyPostgres) -> str:
    """The address of an empty PostgreSQL database that nobody else is connected to."""
    postgres_database.empty()
    return postgres_database.url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The address of a SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'log.sqlite3'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database, once SQLite and once PostgreSQL."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> MigratedSQLite:
    """A migrated SQLite log, to be copied."""
    return MigratedSQLite(tmp_path_factory.mktemp("migrated"))


@pytest.fixture
def migrated_sqlite_url(sqlite_url: str, migrated_file: MigratedSQLite) -> str:
    """The address of a migrated SQLite log without a row."""
    migrated_file.copy_to(sqlite_url)
    return sqlite_url


@pytest.fixture
def migrated_postgres_url(postgres_database: EmptyPostgres) -> str:
    """The address of a migrated PostgreSQL log without a row, which nobody else is connected to."""
    postgres_database.migrated()
    return postgres_database.url


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request: pytest.FixtureRequest) -> str:
    """A migrated log without a row, once SQLite and once PostgreSQL."""
    name = "migrated_sqlite_url" if request.param == "sqlite" else "migrated_postgres_url"
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture
def migrated_log(migrated_url: str) -> Iterator[Engine]:
    """The same, opened."""
    with closing_log(migrated_url) as found:
        yield found


@pytest.fixture
def migrated_sqlite_log(migrated_sqlite_url: str) -> Iterator[Engine]:
    """A migrated SQLite log without a row, opened."""
    with closing_log(migrated_sqlite_url) as found:
        yield found


@pytest.fixture(scope="session")
def sandbox_running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A sandbox process for the whole run; for a test's own eyes it is :func:`sandbox`."""
    with sandbox_process(tmp_path_factory.mktemp("sandbox")) as (_, client):
        yield client


@pytest.fixture
def sandbox(sandbox_running: Client) -> Client:
    """A client of a sandbox that nothing has happened in."""
    sandbox_running.control("POST", "reset")
    return sandbox_running


@pytest.fixture
def secret_key() -> str:
    """A fresh Fernet key, as ``ENVOI_SECRET_KEYS`` takes it."""
    return Fernet.generate_key().decode()
