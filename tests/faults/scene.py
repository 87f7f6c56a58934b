"""The scene of a run: a whole Envoi of real processes, with a PostgreSQL of its own and proxies in between.

All workers reach Graph and Redis through the proxies; the scheduler and the producer reach Redis directly. One scene
serves many runs, one after the other: each begins with an empty ledger and with every process alive.
"""

from __future__ import annotations

import os
import secrets
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Self
from unittest.mock import patch
from urllib.parse import urlsplit

from sqlalchemy import Engine, text
from sqlalchemy.exc import InterfaceError, OperationalError

from demo.child import Child
from demo.postgres_server import PostgresServer
from demo.stack import Stack
from envoi import Envoi, Job
from envoi.errors import QueueUnavailable, Recovering
from envoi.log.database import open_log
from envoi.settings import settings as read_settings
from envoi.states import State
from tests.acceptance.ledger import LOST_ACTIONS, Sent, control, deliveries
from tests.faults.checker import Findings, Logged, check
from tests.faults.proxy import Proxy
from tests.faults.strikes import Strike
from tests.faults.web_app import WebApp
from tests.faults.workers import Nursery, Worker
from tests.waiting import Stuck, wait_until, wait_until_equal

# Times shortened so that a fault and what follows fit into a few seconds; the proportions are those of production.
LEASE = 3.0  # seconds
APP_SECRET = "of-the-app"
SETTINGS = {
    "ENVOI_PAGE_PACE": "1000",
    "ENVOI_PAGE_CALLS": "10000",
    "ENVOI_PAGE_CAP": "200",
    "ENVOI_LEASE": str(LEASE),
    "ENVOI_READ_TIMEOUT": "2",
    "ENVOI_ACTION_TIMEOUT": "1",
    "ENVOI_GRAPH_LATEST": "2",
    "ENVOI_GRAPH_LATEST_MEDIA": "2",
    "ENVOI_GRAPH_VISIBLE": "1",
    "ENVOI_LOOKS_PACE": "50",
    "ENVOI_LOOK_AGAIN": "2",
    "ENVOI_LOOK_BLIND": "1",
    "ENVOI_APP_SECRET": APP_SECRET,
    "ENVOI_LOSS_BOUND": "2",
    "ENVOI_BACKOFF_FIRST": "0.2",
    "ENVOI_BACKOFF_CAP": "2",
    "ENVOI_ANSWERED_WAIT": "0.2",
    "ENVOI_THROTTLE_WAIT": "0.3",
    "ENVOI_MAX_ATTEMPTS": "50",
    "ENVOI_JOB_EVENTS": "false",
}
LATENCY = 0.01  # seconds a call
CONCURRENCY = 16  # conversations in flight in one worker
STRUCK_CONCURRENCY = 4  # the same, in one that strikes itself
FIRST_PERSON = 7_000_000_000_000_001
_READY = '"action": "ready"'
_ECHOES = 60.0  # seconds until the last echo has come
_RETRY = 0.1  # seconds between two tries of the producer
_OF_RUN = "FROM jobs WHERE id >= :first"


class Scene:
    """One Envoi, and what faults can do to it.

    Args:
        folder: an existing, empty folder.
        evidence: what unknowns can be settled by: ``looks`` in conversations are allowed, or ``none`` is.
        workers: how many work when all is well.
        overrides: settings that differ from :data:`SETTINGS`.
    """

    def __init__(
        self, folder: Path, *, evidence: str = "none", workers: int = 3, overrides: Mapping[str, str] | None = None
    ) -> None:
        self.evidence = evidence
        self.workers = workers
        self._stopping = ExitStack()
        self.database = self._stopping.enter_context(PostgresServer(folder=folder))
        settings = {**SETTINGS, "ENVOI_LOOKS": str(evidence == "looks"), **(overrides or {})}
        self.stack = Stack(folder, database_url=self.database.url, latency=LATENCY, settings=settings)
        self._people = FIRST_PERSON
        self._struck: list[Worker] = []
        self.mixed = False  # then a fault may come when there is no work left to meet it

    def start(self) -> None:
        """Start everything."""
        self._stopping.enter_context(self.stack)
        self.stack.start(workers=0)
        assert self.stack.redis
        self.redis = self.stack.redis
        self.graph_proxy = self._stopping.enter_context(Proxy(urlsplit(self.stack.sandbox_url).port or 0))
        self.redis_proxy = self._stopping.enter_context(Proxy(self.redis.port))
        self.engine: Engine = open_log(self.database.url)
        self._stopping.callback(self.engine.dispose)
        with patch.dict(os.environ, {"ENVOI_APP_SECRET": APP_SECRET}):
            read_settings.cache_clear()
            self.client = Envoi(self.stack.redis_url)
        read_settings.cache_clear()
        self._web_app = self._stopping.enter_context(WebApp(self.client))
        through = {
            "ENVOI_REDIS_URL": f"redis://127.0.0.1:{self.redis_proxy.port}/0",
            "ENVOI_GRAPH_URL": f"http://127.0.0.1:{self.graph_proxy.port}",
            "ENVOI_CONCURRENCY": str(CONCURRENCY),
        }
        self._nursery = Nursery(self.stack.folder, {**self.stack.environment, **through})
        self._stopping.callback(self._nursery.close)
        self.mend()

    def close(self) -> None:
        """Stop everything. A frozen process goes on first."""
        self._stopping.close()

    # ---- its processes

    def living(self) -> list[Worker]:
        """The workers that run, frozen ones among them."""
        return self._nursery.living()

    def add_workers(self, count: int) -> None:
        """Start workers, all at once, and wait until they are ready."""
        for worker in [self._nursery.start() for _ in range(count)]:
            worker.wait_for(_READY)

    def only_strikers(self, strikes: Sequence[Strike]) -> list[Worker]:
        """End all workers, and start one for each strike; there is no work yet, so none has struck."""
        for worker in self.living():
            worker.send(signal.SIGTERM)
        for worker in self.living():
            worker.wait()
        few = ("--concurrency", str(STRUCK_CONCURRENCY))
        started = [self._nursery.start(*few, strike=strike) for strike in strikes]
        for worker in started:
            worker.wait_for(_READY)
        self._struck += started
        return started

    def mend(self) -> None:
        """See that everything runs as at the start: servers, one scheduler, the workers; nothing is ordered."""
        for server in (self.redis, self.database):
            if not server.child.running:
                server.start()
            server.child.cont()
        self.graph_proxy.order(None)
        self.redis_proxy.order(None)
        self.lift()
        if not any(child.running for child in self._schedulers()):
            self.stack.start_scheduler()
        for worker in self.living():
            worker.send(signal.SIGCONT)
        self.add_workers(max(0, self.workers - len(self.living())))

    def scheduler(self) -> Child:
        """The scheduler that runs."""
        (child,) = [child for child in self._schedulers() if child.running]
        return child

    def _schedulers(self) -> list[Child]:
        return [child for child in self.stack.children() if child.name.startswith("scheduler")]

    def order(self, fault: dict[str, object], *, every: int, times: int | None = None, step: str = "message") -> None:
        """Order a fault of the sandbox, for every n-th call of a step, so many times at most."""
        rule = {"match": {"step": step}, "fault": fault, "every": every, "times": times}
        control(self.stack.sandbox_url, "POST", "rules", rule)

    def lift(self) -> None:
        """Lift every fault of the sandbox."""
        control(self.stack.sandbox_url, "DELETE", "rules")

    def echo(self, **how: object) -> None:
        """Send echoes to the web app, as the sandbox's control takes it; looks are not permitted meanwhile."""
        self._permit_looks(False)
        webhooks = {"url": self._web_app.url, "app_secret": APP_SECRET, "echo": how}
        control(self.stack.sandbox_url, "PUT", "webhooks", webhooks)

    def echo_no_more(self) -> None:
        """No echoes, once all have come, and looks as at the start.

        Raises:
            Stuck: they do not come.
        """

        def on_their_way() -> int:
            told = control(self.stack.sandbox_url, "GET", "webhooks")["webhooks"]
            return sum(one["fate"] == "waiting" for one in told)

        wait_until_equal(on_their_way, 0, "echoes on their way", _ECHOES)
        control(self.stack.sandbox_url, "PUT", "webhooks", {"url": None})
        self._permit_looks(self.evidence == "looks")

    def refuse(self, seconds: float) -> None:
        """Let the sandbox cut every connection at its end, and refuse new ones for so long."""
        control(self.stack.sandbox_url, "POST", "refuse", {"seconds": seconds})

    # ---- a run

    def clear(self) -> None:
        """No worker that was struck, and an empty ledger: it holds one run only, so it stays small."""
        for worker in self._struck:
            worker.send(signal.SIGTERM)
            worker.wait()
        self._struck.clear()
        control(self.stack.sandbox_url, "POST", "reset")
        self._permit_looks(self.evidence == "looks")

    def _permit_looks(self, permitted: bool) -> None:
        switches = {"conversations_permission": permitted, "conversations_per_second": None}
        control(self.stack.sandbox_url, "PUT", "switches", switches)

    def producer(self, jobs: int, people: int, seconds: float, name: str) -> Producer:
        """Enqueues so many jobs, in turn to so many people that nobody has written to before, over some seconds."""
        first, self._people = self._people, self._people + people
        return Producer(self, jobs, [str(first + number) for number in range(people)], seconds, name)

    def counts(self, first: str) -> Counter[State]:
        """How many jobs of the run, the first id of which is given, are in each state; empty while SQL is away."""
        query = text(f"SELECT state, count(*) {_OF_RUN} GROUP BY state")  # a constant
        try:
            with self.engine.connect() as connection:
                return Counter({State(state): n for state, n in connection.execute(query, {"first": first})})
        except (OperationalError, InterfaceError):  # its server is stopped and started under us
            self.engine.dispose()
            return Counter()

    def wait_for_work(
        self, messages: int, trouble: Callable[[], Exception | None] = lambda: None, timeout: float = 30.0
    ) -> None:
        """Wait until so many messages of the run were delivered; ``trouble`` gives what keeps them from coming.

        Raises:
            Stuck: there is trouble, or the time is up.
        """

        def delivered() -> bool:
            found = control(self.stack.sandbox_url, "GET", "summary")["delivered_by_step"].get("message", 0)
            if found < messages and trouble():
                raise Stuck(f"{found} messages of {messages}: {trouble()}")
            return bool(found >= messages)

        wait_until(delivered, f"{messages} messages", timeout)

    def wait_settled(self, first: str, jobs: int, timeout: float) -> None:
        """Wait until the log has an outcome for every job of the run.

        Raises:
            Stuck: the time is up.
        """
        counts: Counter[State] = Counter()

        def settled() -> bool:
            nonlocal counts
            counts = self.counts(first)
            return sum(counts.values()) >= jobs and all(state.final for state in counts)

        with suppress(Stuck):
            wait_until(settled, f"an outcome for each of {jobs} jobs", timeout)
            return
        every: list[Child | Worker] = [*self.stack.children(), *self._nursery.workers]
        logs = "\n\n".join(f"{process.log.stem}: {process.last_lines(6)}" for process in every if process.running)
        raise Stuck(f"after {timeout:g} s the log shows {dict(counts)} of {jobs} jobs\n{logs}")

    def wait_corrected(self, first: str, unknown: int, timeout: float) -> None:
        """Wait until facts that come late have left so many jobs unknown at most; or the time is up, and more are."""
        with suppress(Stuck):
            wait_until(lambda: self.counts(first)[State.UNKNOWN] <= unknown, "late facts", timeout)

    def wait_quiet(self, timeout: float) -> None:
        """Wait until the sandbox has no request open: what could still take effect has.

        Raises:
            Stuck: the time is up.
        """
        requests = "ledger?ending=open&limit=1"
        wait_until_equal(
            lambda: control(self.stack.sandbox_url, "GET", requests)["entries"], [], "open requests", timeout
        )

    def findings(self, sent: list[Sent], first: str) -> Findings:
        """Ledger and log against what was enqueued."""
        jobs = text(f"SELECT id, state, message_id {_OF_RUN}")  # a constant
        with self.engine.connect() as connection:
            log = {
                row.id: Logged(State(row.state), row.message_id) for row in connection.execute(jobs, {"first": first})
            }
            unshown = list(connection.execute(text(LOST_ACTIONS)).scalars())
        return check(sent, deliveries(self.stack.sandbox_url), log, unshown=unshown)

    def recovery(self, first: str) -> float:
        """The longest that a job of the run which had begun stayed without its outcome: seconds from its first call.

        Args:
            first: the first id of the run.
        """
        query = text(
            "SELECT max(extract(epoch FROM settled_at - began)) FROM jobs JOIN (SELECT job_id, min(started_at) AS began"
            " FROM calls WHERE job_id >= :first GROUP BY job_id) AS of_job ON job_id = id"
        )
        with self.engine.connect() as connection:
            return float(connection.execute(query, {"first": first}).scalar_one() or 0.0)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Producer(threading.Thread):
    """A web app: hands jobs over in batches, each with a key, and repeats a batch that met an error.

    Attributes:
        sent: what was handed over, in order.
        refused: how many batches met an error at first.
        trouble: what ended it early.
    """

    def __init__(self, scene: Scene, jobs: int, people: list[str], seconds: float, name: str) -> None:
        super().__init__(name="producer", daemon=True)
        self.sent: list[Sent] = []
        self.refused = 0
        self.trouble: Exception | None = None
        self._scene = scene
        self._jobs = [
            Job(page=scene.stack.page, recipient=people[n % len(people)], message=f"{name} {n}", key=f"{name}-{n}")
            for n in range(jobs)
        ]
        self._seconds = seconds
        self._ended = threading.Event()

    def run(self) -> None:
        try:
            batches = _batches(self._jobs)
            for number, batch in enumerate(batches):
                ids = self._hand_over(batch)
                self.sent += [Sent(job_id, job.recipient.key) for job_id, job in zip(ids, batch, strict=True)]
                if number + 1 < len(batches):
                    self._ended.wait(self._seconds / len(batches))
        except Exception as error:  # noqa: BLE001  # told by finish
            self.trouble = error

    def finish(self, timeout: float) -> list[Sent]:
        """Wait until all is handed over."""
        self.join(timeout)
        if self.trouble:
            raise self.trouble
        if self.is_alive():
            raise Stuck(f"the producer handed over {len(self.sent)} of {len(self._jobs)} jobs in {timeout:g} s")
        return self.sent

    def _hand_over(self, batch: list[Job]) -> list[str]:
        """A batch is repeated whole until it is taken: its keys make that safe."""
        first = True
        while True:
            try:
                return self._scene.client.send_many(batch)
            except (QueueUnavailable, Recovering):
                self.refused += first
                first = False
                time.sleep(_RETRY)


def _batches(jobs: list[Job]) -> list[list[Job]]:
    """Half of them at once, so that there is work when the fault comes; the rest in tenths."""
    half = (len(jobs) + 1) // 2
    size = max(1, -(-(len(jobs) - half) // 10))
    return [jobs[:half], *(jobs[n : n + size] for n in range(half, len(jobs), size))]


def dice(seed: int, name: str) -> Random:
    """The chances of one run: the same seed and fault give the same."""
    return Random(f"{seed} {name}")  # noqa: S311  # chances, no secrets


def new_seed() -> int:
    """The seed that ``ENVOI_TEST_SEED`` asks for, else a fresh one."""
    return int(os.environ.get("ENVOI_TEST_SEED") or secrets.randbelow(1_000_000))
