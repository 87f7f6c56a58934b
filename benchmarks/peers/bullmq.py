"""BullMQ on Node (benchmarks/bullmq): ``undici.request``, pg, one INSERT a job."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peer import Place
from benchmarks.producer import Producer
from benchmarks.sent_messages import SentMessages, plain_address
from benchmarks.work import Message
from demo.child import Child

FOLDER = Path(__file__).parents[1] / "bullmq"


class BullMQ:
    """One Node process with so many jobs in hand; five attempts with exponential backoff."""

    batch = 500

    def __init__(self, place: Place, *, concurrency: int) -> None:
        self._cores = place.cores
        self._rows = SentMessages(place.database_url)
        environment = {
            **os.environ,
            "NODE_ENV": "production",
            "REDIS_URL": place.redis_url,
            "DATABASE_URL": plain_address(place.database_url),
            "GRAPH_URL": place.graph_url,
            "PAGE_ACCESS_TOKEN": "page-token",
            "CONCURRENCY": str(concurrency),
        }
        self._producer = Producer(
            "BullMQ's producer",
            ["node", "producer.mjs"],
            log=place.folder / "bullmq-producer.log",
            env=environment,
            cwd=FOLDER,
        )
        self._worker = Child(
            "BullMQ", ["node", "worker.mjs"], log=place.folder / "bullmq.log", env=environment, cwd=FOLDER
        )

    def start(self) -> None:
        """Make the table, start the producer and the worker."""
        self._rows.create()
        self._producer.start()
        with self._cores.for_workers():
            self._worker.start()

    def enqueue(self, messages: Sequence[Message]) -> None:
        """One ``addBulk``."""
        self._producer.enqueue(messages)

    def committed(self) -> int:
        """Count the rows."""
        return self._rows.count()

    def pids(self) -> dict[str, list[int]]:
        """The worker."""
        return {"worker": [self._worker.pid]}

    def check(self) -> None:
        """See that the worker runs."""
        if not self._worker.running:
            raise self._worker.failure("has ended by itself")

    def stop(self) -> None:
        """Stop both."""
        self._rows.close()
        self._producer.stop()
        self._worker.stop()
