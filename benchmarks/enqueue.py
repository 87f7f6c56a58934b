"""``python -m benchmarks.enqueue``: how fast one process hands jobs over, and what one costs it.

Each way enqueues the same messages into an empty Redis, no worker running, one process on a core of its own:
``send_many`` and ``send`` of Envoi, ``apply_async`` of Celery, ``addBulk`` of BullMQ, ``enqueue_job`` of arq.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from celery import Celery

from benchmarks.peers.packages import NODE_FOLDER, installed, node_installed, python_path
from benchmarks.processes import cpu_seconds
from benchmarks.producer import Producer, Spent
from benchmarks.servers import Servers, servers
from benchmarks.work import Message, page_ids, plan
from envoi import Envoi, Job
from envoi.client import open_queue

_ROOT = Path(__file__).parents[1]
_BATCH = 500
_PAGES = 8
_BURST = 5
_PEOPLE = 7_000_000_000_000_001
_WARMUP_PEOPLE = 8_000_000_000_000_001
_BULK_GOAL = 10_000.0  # jobs a second with send_many
_SEND_GOAL = 0.5  # milliseconds of CPU of one send

Enqueue = Callable[[Sequence[Message]], Spent]


@dataclass(frozen=True, slots=True)
class Speed:
    """One way, medians of its rounds; milliseconds of CPU a job."""

    way: str
    jobs: int
    jobs_per_second: float
    cpu_ms: float
    redis_ms: float


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
    app = Celery("shop", broker=shared.redis.url)

    @app.task(name="send_message", ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
    def send_message(page_id: str, recipient_id: str, text: str) -> None:
        raise NotImplementedError  # no worker runs

    def enqueue(messages: Sequence[Message]) -> None:
        for one in messages:
            send_message.apply_async((one.page, one.recipient, one.text))

    try:
        yield _timed(enqueue)
    finally:
        app.close()


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
            spent = [producer.enqueue(messages[at : at + _BATCH]) for at in range(0, len(messages), _BATCH)]
            return Spent(sum(one.seconds for one in spent), sum(one.cpu_seconds for one in spent))

        try:
            yield enqueue
        finally:
            producer.stop()


@dataclass(frozen=True, slots=True)
class _Way:
    """How to enqueue.

    Attributes:
        opened: readies it for an empty Redis.
        part: of ``--jobs`` that it gets: some take twenty times as long as others.
        here: whether what it needs is on this machine.
    """

    opened: Callable[[Servers], AbstractContextManager[Enqueue]]
    part: float
    here: bool = True


_WAYS = {
    "envoi send_many": _Way(_send_many, 1.0),
    "envoi send": _Way(_send, 0.2),
    "celery apply_async": _Way(_apply_async, 0.05),
    "bullmq addBulk": _Way(_add_bulk, 1.0, node_installed()),
    "arq enqueue_job": _Way(_enqueue_job, 0.1, installed("arq")),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure all ways and print their table.

    Returns:
        Exit status: 1 if Envoi missed a goal.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.enqueue", description=__doc__)
    parser.add_argument("--jobs", type=int, default=20_000, help="jobs of a round; the slow ways get a part (20000)")
    parser.add_argument("--rounds", type=int, default=3, help="the table has medians (3)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    ways = [name for name, way in _WAYS.items() if way.here]
    found: dict[str, list[Speed]] = defaultdict(list)
    with servers() as shared:
        for _ in range(options.rounds):
            for name in ways:  # A B A B
                found[name].append(_round(name, options.jobs, shared))
    speeds = [_middle(found[name]) for name in ways]
    if options.json:
        print(json.dumps([asdict(one) for one in speeds], indent=2))
    else:
        print(table(speeds))
    return 0 if reached(speeds) else 1


def table(speeds: Sequence[Speed]) -> str:
    """As Markdown."""
    lines = ["| way | jobs a round | jobs/s | CPU ms/job | Redis CPU ms/job |", "|---|---:|---:|---:|---:|"]
    lines += [
        f"| {one.way} | {one.jobs} | {one.jobs_per_second:,.0f} | {one.cpu_ms:.3f} | {one.redis_ms:.3f} |"
        for one in speeds
    ]
    return "\n".join(lines)


def reached(speeds: Sequence[Speed]) -> bool:
    """Whether Envoi enqueues as fast in bulk, and as cheaply one by one, as it is to."""
    by_way = {one.way: one for one in speeds}
    bulk, single = by_way["envoi send_many"], by_way["envoi send"]
    return bulk.jobs_per_second >= _BULK_GOAL and single.cpu_ms <= _SEND_GOAL


def _round(name: str, most: int, shared: Servers) -> Speed:
    """One way once, after a batch that does not count."""
    way = _WAYS[name]
    jobs = max(1, int(most * way.part))
    shared.empty_redis()
    with shared.cores.for_workers(), way.opened(shared) as enqueue:
        enqueue(plan(_WARMUP_PEOPLE, _BATCH, _BATCH, _PAGES))
        messages = plan(_PEOPLE, jobs, -(-jobs // _BURST), _PAGES)
        before = cpu_seconds([shared.redis.pid])
        spent = enqueue(messages)
        redis_seconds = cpu_seconds([shared.redis.pid]) - before
    print(f"{name}: {jobs} in {spent.seconds:.2f} s", file=sys.stderr, flush=True)
    return Speed(name, jobs, jobs / spent.seconds, spent.cpu_seconds / jobs * 1000, redis_seconds / jobs * 1000)


def _middle(rounds: Sequence[Speed]) -> Speed:
    return Speed(
        rounds[0].way,
        rounds[0].jobs,
        median(one.jobs_per_second for one in rounds),
        median(one.cpu_ms for one in rounds),
        median(one.redis_ms for one in rounds),
    )


def _envoi(shared: Servers) -> Envoi:
    """A client of a queue that is open, as a scheduler leaves it."""
    queue = open_queue(shared.redis.url)
    queue.open_gate(queue.run_id())
    for page in page_ids(_PAGES):
        queue.configure(page, pace=1000.0)
    return Envoi(shared.redis.url)


def _timed(enqueue: Callable[[Sequence[Message]], None]) -> Enqueue:
    """The same, and what it took in this process."""

    def timed(messages: Sequence[Message]) -> Spent:
        began, before = time.perf_counter(), time.process_time()
        enqueue(messages)
        return Spent(time.perf_counter() - began, time.process_time() - before)

    return timed


if __name__ == "__main__":
    sys.exit(main())
