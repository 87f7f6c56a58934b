"""A real Flower beside a stack, and what its pages and its HTTP API say."""

from __future__ import annotations

import base64
import http.client
import json
import re
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from demo.child import Child
from demo.ports import free_port
from demo.stack import ROOT, Stack
from tests.waiting import wait_until_equal

USER, PASSWORD = "envoi", "for-flower"
_EVENTS = re.compile(r'^flower_events_total\{task="([^"]*)",type="([^"]*)",worker="([^"]*)"\} (\S+)$', re.MULTILINE)


def celery_program() -> str:
    """The ``celery`` command of our own environment."""
    return str(Path(sys.executable).parent / "celery")


def ask(port: int, path: str, password: str | None) -> tuple[int, str]:
    """Status and body of a GET by somebody who says this password, or none; 0 while nobody listens."""
    headers = {}
    if password is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(f"{USER}:{password}".encode()).decode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except ConnectionError:
        return 0, ""
    finally:
        connection.close()


class Flower(AbstractContextManager["Flower"]):
    """``celery -A worker flower`` with the stack's environment, as the compose file runs it.

    Args:
        stack: whose workers it watches; its Redis runs.
    """

    def __init__(self, stack: Stack) -> None:
        self.port = free_port()
        command = [celery_program(), "-A", "worker", "flower", "--address=127.0.0.1", f"--port={self.port}"]
        self.child = Child(
            "flower",
            [*command, "--read-only", "--max-tasks=10000"],
            log=stack.folder / "flower.log",
            env=stack.environment | {"FLOWER_BASIC_AUTH": f"{USER}:{PASSWORD}"},
            cwd=ROOT,
        )

    def __enter__(self) -> Self:
        self.child.start()
        self.child.wait_ready(lambda: self.ask("/healthcheck")[0] == 200, 30)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.child.kill()

    def ask(self, path: str) -> tuple[int, str]:
        """Status and body of a GET; 0 while nobody listens."""
        return ask(self.port, path, PASSWORD)

    def read(self, path: str) -> str:
        """The body of a page that is there."""
        status, body = self.ask(path)
        assert status == 200, f"{path}: {status} {body}"
        return body

    def tasks(self) -> dict[str, dict[str, Any]]:
        """Every task it knows, by its uuid."""
        found: dict[str, dict[str, Any]] = json.loads(self.read("/api/tasks"))
        return found

    def info(self, job_id: str) -> dict[str, Any]:
        """One task; empty while it is not known."""
        status, body = self.ask(f"/api/task/info/{job_id}")
        return json.loads(body) if status == 200 else {}

    def online(self) -> set[str]:
        """The names of workers that it hears."""
        alive = json.loads(self.read("/api/workers?status=1"))
        return {name for name, lives in alive.items() if lives}

    def events(self, kind: str) -> dict[str, int]:
        """How many events of a kind it has counted, by the name of the task; "" for a worker's own."""
        found: dict[str, int] = {}
        for task, of_kind, _, count in _EVENTS.findall(self.read("/metrics")):
            if of_kind == kind:
                found[task] = found.get(task, 0) + int(float(count))
        return found

    def wait_for_workers(self, count: int) -> None:
        """Wait until it hears so many: what happens from then on reaches it."""
        wait_until_equal(lambda: len(self.online()), count, "workers that Flower hears")
