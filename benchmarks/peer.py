"""What a peer is: one way of doing the work, started, fed, watched and stopped by the harness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.processes import Cores
from benchmarks.work import Message


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run takes place; every run has an empty Redis, an empty database and a stub of its own.

    Attributes:
        folder: for log files.
        redis_url: the Redis.
        database_url: the PostgreSQL database, ``postgresql+psycopg://…``.
        graph_url: the stub.
        ca_file: with TLS, the certificate that vouches for the stub's; every peer trusts it by an option of its own.
        latency: seconds that the stub takes for each call.
        pages: ids of the pages that send.
        cores: workers are started under ``cores.for_workers()``.
    """

    folder: Path
    redis_url: str
    database_url: str
    graph_url: str
    ca_file: Path | None
    latency: float
    pages: Sequence[str]
    cores: Cores


class Peer(Protocol):
    """One run of one way of doing the work, made from a :class:`Place`.

    Attributes:
        batch: how many messages are handed over in one go.
    """

    batch: int

    def start(self) -> None:
        """Make its tables and start its processes, workers on their core.

        They need not be ready for work: the warm-up waits for that.

        Raises:
            ChildFailed: a process did not start.
        """

    def enqueue(self, messages: Sequence[Message]) -> None:
        """Hand over messages, at most ``batch``."""

    def committed(self) -> int:
        """How many jobs have all their rows committed."""

    def pids(self) -> dict[str, list[int]]:
        """Its processes, without their descendants: ``worker`` and, where it has one, ``scheduler``."""

    def check(self) -> None:
        """See that its processes still run.

        Raises:
            ChildFailed: one has ended by itself.
        """

    def stop(self) -> None:
        """Stop its processes.

        Raises:
            ChildFailed: one had to be killed.
        """
