"""The ways to hand jobs over that are compared: Envoi's own, and those of others in processes of their own."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.packages import NODE_FOLDER, installed, node_installed, python_path
from benchmarks.producer import Producer, Spent
from benchmarks.servers import Servers
from benchmarks.work import Message, page_ids
from envoi import Envoi, Job
from envoi.client import open_queue

BATCH = 500  # messages that a producer is given at once
PAGES = 8  # that send them
_ROOT = Path(__file__).parents[1]

Enqueue = Callable[[Sequence[Message]], Spent]


@contextmanager
def _send_many(shared: Servers) -> Iterator[Enqueue]:
    client = _envoi(shared)

    def enqueue(messages: Sequence[Message]) -> None:
        client.send_many(Job(page=one.page, recipient=one.recipient, message=one.text) for one in messages)

    yield _timed(enqueue)


@contextmanager
def _send(shared: Servers) -> Iterator[Enqueue]:
    client = _envoi(shared)

    def enqueue(messages: Sequence[Message]) -> None:
        for one in messages:
            client.send(one.page, one.recipient, one.text)

    yield _timed(enqueue)


@contextmanager
def _apply_async(shared: Servers) -> Iterator[Enqueue]:
    """The usual task as it is. The producer calls nobody and writes no rows: it is told of no host and no database."""
    command = [sys.executable, "-m", "benchmarks.usual.producer"]
    environment = {
        "CELERY_BROKER_URL": shared.redis.url,
        "DATABASE_URL": "sqlite://",
        "GRAPH_URL": "",
        "PAGE_ACCESS_TOKEN": "",
    }
    with _program(shared, "Celery's producer", command, _ROOT, environment) as one_by_one:
        yield one_by_one


@contextmanager
def _add_bulk(shared: Servers) -> Iterator[Enqueue]:
    with _program(
        shared, "BullMQ's producer", ["node", "producer.mjs"], NODE_FOLDER, {"NODE_ENV": "production"}
    ) as bulk:
        yield bulk


@contextmanager
def _enqueue_job(shared: Servers) -> Iterator[Enqueue]:
    command = [sys.executable, "-m", "benchmarks.arq_worker.producer"]
    with _program(shared, "arq's producer", command, _ROOT, python_path("arq")) as one_by_one:
        yield one_by_one


@contextmanager
def _program(
    shared: Servers, name: str, command: list[str], folder: Path, environment: dict[str, str]
) -> Iterator[Enqueue]:
    """A producer in a process of its own, which says itself what each batch took it."""
    with tempfile.TemporaryDirectory(prefix="envoi-enqueue-") as logs:
        producer = Producer(
            name,
            command,
            log=Path(logs) / "producer.log",
            env={**os.environ, "REDIS_URL": shared.redis.url, **environment},
            cwd=folder,
        )
        producer.start()

        def enqueue(messages: Sequence[Message]) -> Spent:
            spent = [producer.enqueue(messages[at : at + BATCH]) for at in range(0, len(messages), BATCH)]
            return Spent(sum(one.seconds for one in spent), sum(one.cpu_seconds for one in spent))

        try:
            yield enqueue
        finally:
            producer.stop()


@dataclass(frozen=True, slots=True)
class Way:
    """How to enqueue.

    Attributes:
        opened: readies it for an empty Redis.
        part: of ``--jobs`` that it gets: some take twenty times as long as others.
        here: whether what it needs is on this machine.
    """

    opened: Callable[[Servers], AbstractContextManager[Enqueue]]
    part: float
    here: bool = True


WAYS = {
    "envoi send_many": Way(_send_many, 1.0),
    "envoi send": Way(_send, 0.2),
    "celery apply_async": Way(_apply_async, 0.05),
    "bullmq addBulk": Way(_add_bulk, 1.0, node_installed()),
    "arq enqueue_job": Way(_enqueue_job, 0.1, installed("arq")),
}


def _envoi(shared: Servers) -> Envoi:
    """A client of a queue that is open, as a scheduler leaves it."""
    queue = open_queue(shared.redis.url)
    queue.open_gate(queue.run_id())
    for page in page_ids(PAGES):
        queue.configure(page, pace=1000.0)
    return Envoi(shared.redis.url)


def _timed(enqueue: Callable[[Sequence[Message]], None]) -> Enqueue:
    """The same, and what it took in this process."""

    def timed(messages: Sequence[Message]) -> Spent:
        began, before = time.perf_counter(), time.process_time()
        enqueue(messages)
        return Spent(time.perf_counter() - began, time.process_time() - before)

    return timed
