"""Envoi itself: one scheduler (which also writes the log) and one worker, as in production."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import psycopg
import redis

from benchmarks.pages import add_pages
from benchmarks.peer import Place
from benchmarks.sent_messages import plain_address
from benchmarks.work import Message
from demo.child import Child
from demo.commands import envoi, new_secret_key, own_environment, run
from envoi import Envoi, Job
from envoi.queue.keys import Keys

_ROOT = Path(__file__).parents[2]
_CONCURRENCY = 32  # Envoi's default
_CONCURRENCY_SLOW = 2000  # for a Graph that takes a while: as many conversations as it needs in flight to fill a core
_STEPS = 3
_PACE, _CAP = 10000.0, 1000  # messages a second, and calls in flight, of each page
# The clock stops when the outcome and all the calls of a job are in the log.
_COMMITTED = """
SELECT least((SELECT count(*) FROM jobs WHERE settled_at IS NOT NULL), (SELECT count(*) FROM calls) / %(steps)s)
"""


class EnvoiWorker:
    """All defaults, but a pace above what is measured: it is there to protect a page, not to be raced."""

    batch = 500

    def __init__(self, place: Place, *, workers: int = 1, concurrency: int | None = None) -> None:
        """Describe it; :meth:`start` runs it.

        Args:
            place: where.
            workers: how many worker processes.
            concurrency: conversations in flight in each; by the latency if not given.
        """
        self._place = place
        self._secret_key = new_secret_key()
        self._environment = own_environment(
            {
                **({"SSL_CERT_FILE": str(place.ca_file)} if place.ca_file else {}),
                "ENVOI_REDIS_URL": place.redis_url,
                "ENVOI_DATABASE_URL": place.database_url,
                "ENVOI_GRAPH_URL": place.graph_url,
                "ENVOI_SECRET_KEYS": self._secret_key,
                "ENVOI_PAGE_CALLS": "10000",
            }
        )
        concurrency = concurrency or (_CONCURRENCY_SLOW if place.latency else _CONCURRENCY)
        self._scheduler = self._child("scheduler", "scheduler")
        self._workers = [
            self._child(f"worker-{number}", "worker", "--concurrency", str(concurrency)) for number in range(workers)
        ]
        self._client = Envoi(place.redis_url)
        self._database = psycopg.connect(plain_address(place.database_url), autocommit=True)

    def start(self) -> None:
        """Make the tables, open the queue, add the pages, start the workers."""
        run(self._environment, "migrate")
        self._scheduler.start()
        with redis.Redis.from_url(self._place.redis_url) as client:
            self._scheduler.wait_ready(lambda: bool(client.exists(Keys().epoch)), 60.0)
        add_pages(
            self._place.pages,
            redis_url=self._place.redis_url,
            database_url=self._place.database_url,
            secret_key=self._secret_key,
            pace=_PACE,
            cap=_CAP,
        )
        with self._place.cores.for_workers():
            for worker in self._workers:
                worker.start()

    def enqueue(self, messages: Sequence[Message]) -> None:
        """One ``send_many``."""
        self._client.send_many(
            Job(page=message.page, recipient=message.recipient, message=message.text) for message in messages
        )

    def committed(self) -> int:
        """Count jobs with an outcome, and calls."""
        row = self._database.execute(_COMMITTED, {"steps": _STEPS}).fetchone()
        return int(row[0]) if row else 0

    def pids(self) -> dict[str, list[int]]:
        """The workers, and the scheduler."""
        return {"worker": [worker.pid for worker in self._workers], "scheduler": [self._scheduler.pid]}

    def check(self) -> None:
        """See that all run."""
        for child in (*self._workers, self._scheduler):
            if not child.running:
                raise child.failure("has ended by itself")

    def stop(self) -> None:
        """Stop the workers, then the scheduler."""
        self._database.close()
        for worker in self._workers:
            worker.terminate()
        for worker in self._workers:
            worker.stop()
        self._scheduler.stop()

    def _child(self, name: str, *arguments: str) -> Child:
        log = self._place.folder / f"{name}.log"
        return Child(name, envoi(*arguments), log=log, env=self._environment, cwd=_ROOT)
