"""An engine's surroundings: a Graph that answers as the test says, jobs, and what became of them."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from envoi import Job
from envoi.events import CallRecord, GraphError
from envoi.queue.queue import Queue
from envoi.settings import Settings
from tests.waiting import wait_until_equal
from worker.delivery import Delivery
from worker.engine import Engine
from worker.graph import Graph, Outcome
from worker.looks import Looked, Missed
from worker.steps import Step
from worker.verdicts import Accepted, TryLater

TIME = 20.0  # seconds that anything here may take
RULES = Settings(
    lease=6.0,
    loss_bound=0.05,
    concurrency=8,
    page_pace=1000,
    page_calls=10_000,
    page_cap=1000,
    backoff_first=0.05,
    answered_wait=0.05,
)


class ScriptedGraph(Graph):
    """Answers calls as the test says, and keeps what was asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []  # recipient and step, in the order of starting
        self.messages: Counter[str] = Counter()  # by job
        self.looks: list[str] = []  # recipients
        self.inside = 0
        self.most = 0
        self.answer: Callable[[Step, dict[str, Any]], Outcome | None] = lambda _step, _job: None
        self._lock = threading.Lock()

    @property
    def connections(self) -> Any:
        """None: no line can be taken, so every call is a thread's."""
        return None

    def ready(self, step: Step, job: dict[str, Any], token_version: int) -> None:
        del step, job, token_version

    def call(self, step: Step, job: dict[str, Any], token_version: int, may_start: Callable[[], bool]) -> Outcome:
        del token_version
        if not may_start():
            return Outcome(TryLater(GraphError("too late"), answered=False), None)
        with self._lock:
            self.calls.append((job["recipient"]["id"], step.value))
            self.inside += 1
            self.most = max(self.most, self.inside)
            if step is Step.MESSAGE:
                self.messages[job["id"]] += 1
        found = self.answer(step, job)
        with self._lock:
            self.inside -= 1
        record = CallRecord(step.value, time.time(), 1.0, "Accepted")
        return found or Outcome(Accepted(f"m_{job['id']}" if step is Step.MESSAGE else None, "7"), record)

    def look(self, job: dict[str, Any], token_version: int, asked_at: float) -> Looked:
        del token_version, asked_at
        self.looks.append(job["recipient"]["id"])
        return Looked(Missed(GraphError("nothing to see")))


class HeldMessages:
    """An answer for :attr:`ScriptedGraph.answer`: message calls go on once they are let go.

    Attributes:
        let_go: set to let them go, also those that come later.
    """

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self._begun = threading.Semaphore(0)

    def __call__(self, step: Step, job: dict[str, Any]) -> None:
        del job
        if step is Step.MESSAGE:
            self._begun.release()
            assert self.let_go.wait(TIME)

    def wait_begun(self, count: int = 1) -> None:
        """Until so many more are held."""
        for _ in range(count):
            assert self._begun.acquire(timeout=TIME)


class Ends:
    """Watches what attempts come to."""

    def __init__(self) -> None:
        self.came_to: list[tuple[str, str]] = []

    def started(self, delivery: Delivery) -> None:
        pass

    def ended(self, delivery: Delivery, came_to: str, seconds: float) -> None:
        del seconds
        self.came_to.append((delivery.held.job_id, came_to))


def go(engine: Engine) -> None:
    """Let it claim: it is registered, and there is work."""
    engine.registered()
    engine.wake()


def jobs(count: int, people: int, **options: Any) -> list[Job]:
    """So many jobs, to so many people in turn."""
    return [Job(page="1", recipient=str(100 + n % people), message=f"message {n}", **options) for n in range(count)]


def states(queue: Queue, ids: list[str]) -> Counter[str]:
    """How many of the jobs are in each state."""
    return Counter(queue.status(job_id)["state"] for job_id in ids)


def wait_for_states(queue: Queue, ids: list[str], **wanted: int) -> None:
    """Until so many of the jobs are in each state: ``sent=7, sending=1``."""
    wait_until_equal(lambda: states(queue, ids), wanted, "jobs by state")
