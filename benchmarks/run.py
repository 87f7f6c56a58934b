"""One run: one peer does the work once, and it is measured."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.check import Faults, faults, first_deliveries
from benchmarks.ledger import count_messages, read_ledger
from benchmarks.peer import Peer, Place
from benchmarks.processes import cpu_seconds, memory_bytes
from benchmarks.servers import RunningStub, Servers, running_stub
from benchmarks.work import PEOPLE, WARMUP_PEOPLE, Message, page_ids, plan
from demo.child import ChildFailed

_POLL_STUB = 0.05
_POLL_STUB_FAR = 0.5  # while much is left: each question costs the core that all but the workers share
_POLL_SQL = 0.02


class StuckError(Exception):
    """A peer did not do its warm-up: there is nothing to measure."""


@dataclass(frozen=True, slots=True)
class Work:
    """How much of what a run does.

    Attributes:
        jobs: how many messages are measured.
        people: how many people they go to.
        pages: how many pages send them.
        warmup: how many messages go first, through the same processes, without being measured.
        latency: seconds that the stub takes for each call.
        patience: seconds without progress after which the run is over.
        tls: whether calls are made with TLS.
    """

    jobs: int
    people: int
    pages: int
    warmup: int
    latency: float
    patience: float
    tls: bool


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one run showed.

    Attributes:
        jobs: how many messages were enqueued and measured.
        missing: how many of them had no rows at the end.
        seconds: from before the first was enqueued until all rows were committed.
        enqueue_seconds: how long enqueueing took, a part of ``seconds``.
        cpu: CPU seconds of each part: worker, scheduler, redis, sql, stub.
        worker_bytes: memory of the worker and its children at the end.
        waits: seconds from enqueueing to accepted of each delivered message, sorted.
        faults: what went wrong with the messages.
    """

    jobs: int
    missing: int
    seconds: float
    enqueue_seconds: float
    cpu: dict[str, float]
    worker_bytes: int
    waits: list[float]
    faults: Faults


def run(make: Callable[[Place], Peer], work: Work, shared: Servers) -> Measurement:
    """Let a peer do the work once.

    Raises:
        ChildFailed: a process did not start, or has ended.
        StuckError: the warm-up was not done.
        StubRefusedError: the peer made calls that the stub refused.
    """
    with running_peer(make, work, shared) as (peer, stub):
        return _measure(peer, stub, work, shared)


@contextmanager
def running_peer(make: Callable[[Place], Peer], work: Work, shared: Servers) -> Iterator[tuple[Peer, RunningStub]]:
    """Run a peer that has done its warm-up, and a stub for it.

    Raises:
        ChildFailed: a process did not start.
        StuckError: the warm-up was not done.
    """
    with (
        tempfile.TemporaryDirectory(prefix="envoi-bench-") as folder,
        running_stub(Path(folder), work.latency, tls=work.tls) as stub,
    ):
        place = Place(
            folder=Path(folder),
            redis_url=shared.empty_redis(),
            database_url=shared.empty_database(),
            graph_url=stub.graph_url,
            ca_file=stub.ca_file,
            latency=work.latency,
            pages=page_ids(work.pages),
            cores=shared.cores,
        )
        with _stopped_after(make(place)) as peer:
            peer.start()
            _warm_up(peer, stub, work)
            yield peer, stub


@contextmanager
def _stopped_after(peer: Peer) -> Iterator[Peer]:
    """Stop the peer at the end; what went wrong first stays the error."""
    try:
        yield peer
    except BaseException as error:
        try:
            peer.stop()
        except ChildFailed as trouble:
            error.add_note(f"and while stopping: {trouble}")
        raise
    peer.stop()


def _warm_up(peer: Peer, stub: RunningStub, work: Work) -> None:
    """Send some messages that do not count, so that every process has loaded what it needs."""
    _enqueue(peer, plan(WARMUP_PEOPLE, work.warmup, work.warmup, work.pages))
    if not _await_rows(peer, stub, work.warmup, work.patience):
        raise StuckError(f"{count_messages(stub.url)} delivered, {peer.committed()} committed of {work.warmup} jobs")


def _measure(peer: Peer, stub: RunningStub, work: Work, shared: Servers) -> Measurement:
    messages = plan(PEOPLE, work.jobs, work.people, work.pages)
    parts = {**peer.pids(), "redis": [shared.redis.pid], "sql": [shared.postgres.pid], "stub": [stub.child.pid]}
    before = {part: cpu_seconds(pids) for part, pids in parts.items()}
    began = time.perf_counter()
    stamps = _enqueue(peer, messages)
    enqueued = time.perf_counter()
    _await_rows(peer, stub, work.warmup + work.jobs, work.patience)
    ended = time.perf_counter()
    cpu = {part: cpu_seconds(pids) - before[part] for part, pids in parts.items()}
    people = {message.recipient for message in messages}
    ledger = [entry for entry in read_ledger(stub.url) if entry.recipient in people]
    delivered = first_deliveries(ledger)
    return Measurement(
        jobs=work.jobs,
        missing=max(0, work.warmup + work.jobs - peer.committed()),
        seconds=ended - began,
        enqueue_seconds=enqueued - began,
        cpu=cpu,
        worker_bytes=memory_bytes(parts["worker"]),
        waits=sorted(delivered[text] - at for text, at in stamps.items() if text in delivered),
        faults=faults(messages, ledger),
    )


def _enqueue(peer: Peer, messages: Sequence[Message]) -> dict[str, float]:
    """Hand the messages over; Unix seconds at which each was, by its text."""
    stamps: dict[str, float] = {}
    for start in range(0, len(messages), peer.batch):
        batch = messages[start : start + peer.batch]
        now = time.time()
        stamps.update((message.text, now) for message in batch)
        peer.enqueue(batch)
    return stamps


def _await_rows(peer: Peer, stub: RunningStub, rows: int, patience: float) -> bool:
    """Wait until so many jobs have their rows committed.

    The database is asked only near the end, so that the question costs it next to nothing: as long as the stub has
    not accepted every message, rows are missing anyway.

    Returns:
        False if nothing has moved for ``patience`` seconds.
    """
    began = moved = time.perf_counter()
    first = None
    most_accepted = most_committed = 0
    while (quiet := time.perf_counter() - moved) < patience:
        peer.check()
        stub.check()
        accepted = most_accepted if most_accepted >= rows else count_messages(stub.url)
        first = accepted if first is None else first
        near = accepted >= rows or quiet > patience / 2  # if a message is lost, only the rows of others go on
        committed = peer.committed() if near else 0
        if committed >= rows:
            return True
        if accepted > most_accepted or committed > most_committed:
            moved = time.perf_counter()
            most_accepted, most_committed = max(accepted, most_accepted), max(committed, most_committed)
        passed = time.perf_counter() - began
        time.sleep(_POLL_SQL if near else until_asked_again(rows - accepted, accepted - first, passed))
    return False


def until_asked_again(left: int, done: int, seconds: float) -> float:
    """Seconds: half of what is left at the pace so far, so that the end is seen as soon even if the pace doubles.

    Args:
        left: messages to be accepted yet.
        done: messages accepted so far.
        seconds: that they took.
    """
    return min(max(_POLL_STUB, left * seconds / done / 2), _POLL_STUB_FAR) if done else _POLL_STUB
