"""Schedulers in processes of their own, as tests start and watch them."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from demo.child import Child
from envoi.log.queries import LoggedJob
from envoi.log.queries import job as logged_job
from envoi.states import State
from tests.waiting import wait_until

ROOT = Path(__file__).parents[3]
ENVOI = [sys.executable, "-m", "envoi", "scheduler"]
BEAT = [sys.executable, "-m", "celery", "-A", "scheduler", "beat"]


class Processes:
    """Starts schedulers on one log.

    Args:
        folder: for what they write.
        database_url: the log's, unless another is said.
    """

    def __init__(self, folder: Path, database_url: str) -> None:
        self._folder = folder
        self._database_url = database_url
        self._started: list[Child] = []

    def __call__(self, command: list[str], redis_url: str, database_url: str | None = None, **settings: str) -> Child:
        """Start one, with further settings by their variables."""
        folder = self._folder / f"scheduler-{len(self._started)}"
        folder.mkdir()
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ENVOI_")},
            "ENVOI_REDIS_URL": redis_url,
            "ENVOI_DATABASE_URL": database_url or self._database_url,
            "ENVOI_LEASE": "5",
            "PYTHONPATH": str(ROOT),
            **settings,
        }
        child = Child(folder.name, command, log=self._folder / f"{folder.name}.log", env=environment, cwd=folder)
        child.start()
        self._started.append(child)
        return child

    def close(self) -> None:
        """End those that still run."""
        for child in self._started:
            if child.running:
                child.kill()


def lines(child: Child) -> list[dict[str, Any]]:
    """The structured lines of its log so far."""
    text = child.last_lines(10_000).splitlines()
    return [json.loads(line) for line in text if line.startswith("{")]


def wait_ready(child: Child, times: int = 1) -> None:
    """Until it has said so many times that the queue is open."""
    child.wait_ready(lambda: sum(line.get("action") == "ready" for line in lines(child)) >= times, 30)


def wait_logged(engine: Engine, job_id: str, state: State) -> LoggedJob:
    """Until SQL has the job in a state."""

    def there() -> LoggedJob | None:
        found = logged_job(engine, job_id)
        return found if found is not None and found.state is state else None

    return wait_until(there, f"a row that says that {job_id} is {state}")
