"""Peers whose worker and producer are programs that share no package with us: BullMQ and arq."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.peer import Place
from benchmarks.peers.one_worker import OneWorker
from benchmarks.peers.packages import NODE_FOLDER, python_path
from benchmarks.producer import Producer
from benchmarks.sent_messages import plain_address
from benchmarks.work import Message
from demo.child import Child

_ROOT = Path(__file__).parents[2]
_ARQ = "benchmarks.arq_worker"


class SeparatePeer(OneWorker):
    """A worker and a producer; both are told by the environment where everything is."""

    batch = 500

    def __init__(
        self,
        place: Place,
        name: str,
        *,
        worker: Sequence[str],
        producer: Sequence[str],
        cwd: Path,
        env: Mapping[str, str],
    ) -> None:
        environment = {
            **os.environ,
            "REDIS_URL": place.redis_url,
            "DATABASE_URL": plain_address(place.database_url),
            "GRAPH_URL": place.graph_url,
            "PAGE_ACCESS_TOKEN": "page-token",
            **({"CA_FILE": str(place.ca_file)} if place.ca_file else {}),
            **env,
        }
        log = place.folder / "producer.log"
        self._producer = Producer(f"the producer of {name}", producer, log=log, env=environment, cwd=cwd)
        super().__init__(place, Child(name, worker, log=place.folder / "worker.log", env=environment, cwd=cwd))

    def start(self) -> None:
        """Start both."""
        self._producer.start()
        super().start()

    def enqueue(self, messages: Sequence[Message]) -> None:
        """One batch of the producer."""
        self._producer.enqueue(messages)

    def stop(self) -> None:
        """Stop both."""
        try:
            self._producer.stop()
        finally:
            super().stop()


def bullmq(place: Place, *, concurrency: int) -> SeparatePeer:
    """BullMQ on Node (benchmarks/bullmq): one process with so many jobs in hand."""
    return SeparatePeer(
        place,
        "BullMQ",
        worker=["node", "worker.mjs"],
        producer=["node", "producer.mjs"],
        cwd=NODE_FOLDER,
        env={"NODE_ENV": "production", "CONCURRENCY": str(concurrency)},
    )


def arq(place: Place, *, concurrency: int) -> SeparatePeer:
    """Arq (benchmarks/arq_worker): one process with so many jobs in hand."""
    return SeparatePeer(
        place,
        "arq",
        worker=[sys.executable, "-m", "arq", f"{_ARQ}.worker.WorkerSettings"],
        producer=[sys.executable, "-m", f"{_ARQ}.producer"],
        cwd=_ROOT,
        env={**python_path("arq"), "CONCURRENCY": str(concurrency)},
    )
