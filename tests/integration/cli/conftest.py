"""The command run inside the test's own process, on a real Redis and a real database."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import pytest
import redis
from sqlalchemy import Engine, insert

from envoi.cli import main
from envoi.client import open_queue
from envoi.log import tables
from envoi.log.database import open_log
from envoi.settings import settings


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its standard output, read as one JSON document."""
        return json.loads(self.out)


class Run(Protocol):
    """Runs one command."""

    def __call__(self, *arguments: str, stdin: bytes = b"", status: int | None = 0) -> Ran:
        """Run it; it must end with this exit status, or with any where None is given."""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command ``envoi``."""

    def run_it(*arguments: str, stdin: bytes = b"", status: int | None = 0) -> Ran:
        settings.cache_clear()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        ended = main(arguments)
        printed = capsys.readouterr()
        assert status in {None, ended}, f"{printed.out}\n{printed.err}"
        return Ran(ended, printed.out, printed.err)

    return run_it


@pytest.fixture
def queue_open(redis_url: str, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> redis.Redis:
    """An open queue that the command finds."""
    monkeypatch.setenv("ENVOI_REDIS_URL", redis_url)
    queue = open_queue(redis_url)
    queue.open_gate(queue.run_id())  # as the scheduler does
    return redis_client


@pytest.fixture
def migrated(monkeypatch: pytest.MonkeyPatch, migrated_url: str, secret_key: str) -> Iterator[Engine]:
    """A migrated log that the command finds, with a key for tokens: once SQLite, once PostgreSQL."""
    monkeypatch.setenv("ENVOI_DATABASE_URL", migrated_url)
    monkeypatch.setenv("ENVOI_SECRET_KEYS", secret_key)
    engine = open_log(migrated_url)
    yield engine
    engine.dispose()


@pytest.fixture
def log_job(migrated: Engine) -> Callable[..., str]:
    """Puts a row into ``jobs``, with calls."""

    def put(job_id: str, *, state: str = "sent", minute: int = 0, calls: int = 0, **columns: object) -> str:
        at = datetime(2026, 11, 24, 12, minute, tzinfo=UTC)
        row = {
            "id": job_id,
            "page_id": "100",
            "recipient_kind": "id",
            "recipient": "7",
            "lane": "replies",
            "payload": {"page": "100", "message": {"text": "for your eyes only"}},
            "enqueued_at": at,
            "state": state,
            "attempts": 1,
            **columns,
        }
        with migrated.begin() as connection:
            connection.execute(insert(tables.jobs).values(row))
            for number in range(calls):
                connection.execute(
                    insert(tables.calls).values(
                        job_id=job_id,
                        attempt=1,
                        step=("typing_on", "message", "typing_off")[number],
                        started_at=at.replace(second=number),
                        duration_ms=12.5,
                        http_status=200,
                        verdict="Accepted",
                    )
                )
        return job_id

    return put
