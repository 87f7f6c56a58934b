"""The servers: Redis and PostgreSQL for all runs, a stub for each; all on the cores for everything else."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

from benchmarks.certificate import make_certificate
from benchmarks.processes import Cores
from benchmarks.worker_share import WorkerShare
from demo.child import Child
from demo.ports import free_port, listens
from demo.postgres_server import PostgresServer
from demo.redis_server import RedisServer

_ROOT = Path(__file__).parents[1]
_DATABASE = "bench"


@dataclass(frozen=True, slots=True)
class Servers:
    """What all runs share."""

    redis: RedisServer
    postgres: PostgresServer
    cores: Cores

    def empty_redis(self) -> str:
        """The address of the Redis, as if just started."""
        with redis.Redis.from_url(self.redis.url) as client:
            client.flushall()
            client.script_flush()
        return self.redis.url

    def empty_database(self) -> str:
        """The address of a new database, ``postgresql+psycopg://…``; the one of the run before goes."""
        with psycopg.connect(
            host="127.0.0.1", port=self.postgres.port, user="envoi", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {_DATABASE} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {_DATABASE}")
        return f"{self.postgres.url.rpartition('/')[0]}/{_DATABASE}"

    def versions(self) -> dict[str, str]:
        """The version of each."""
        with redis.Redis.from_url(self.redis.url, decode_responses=True) as client:
            server = client.info("server")
        with psycopg.connect(host="127.0.0.1", port=self.postgres.port, user="envoi", dbname="postgres") as connection:
            number = connection.info.parameter_status("server_version")
        return {"Redis": str(server.get("valkey_version") or server["redis_version"]), "PostgreSQL": str(number)}


@dataclass(frozen=True, slots=True)
class RunningStub:
    """A stub with an empty ledger.

    Attributes:
        url: where it answers the harness.
        graph_url: where it takes calls: the same, or with TLS.
        ca_file: with TLS, the authority to trust.
    """

    url: str
    graph_url: str
    ca_file: Path | None
    child: Child

    def check(self) -> None:
        """See that it runs.

        Raises:
            ChildFailed: it has ended.
        """
        if not self.child.running:
            raise self.child.failure("has ended by itself")


@contextmanager
def servers(worker_share: float | None = None) -> Iterator[Servers]:
    """Run Redis and PostgreSQL on the cores for everything else, where the harness then also runs.

    SIGTERM then ends the program as an error would, so that everything is stopped and removed.

    Args:
        worker_share: the part of their core that workers get; all of it if not given.

    Raises:
        ChildFailed: one did not start.
        ShareRefusedError: the kernel does not give them a part.
    """
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    share = None if worker_share is None else WorkerShare(worker_share)
    cores = Cores(share)
    with (
        share.made() if share else nullcontext(),
        cores.for_others(),
        RedisServer() as redis_server,
        PostgresServer() as postgres_server,
    ):
        yield Servers(redis_server, postgres_server, cores)


@contextmanager
def running_stub(folder: Path, latency: float, *, tls: bool = False) -> Iterator[RunningStub]:
    """Run a stub.

    Args:
        folder: for its log file and its certificate.
        latency: seconds that it takes for each call.
        tls: whether calls are made with TLS.

    Raises:
        ChildFailed: it did not start.
    """
    port = free_port()
    url = graph_url = f"http://127.0.0.1:{port}"
    ca_file = None
    command = [sys.executable, "-m", "benchmarks.stub", "--port", str(port), "--latency", str(latency)]
    if tls:
        tls_port, certificate = free_port(), make_certificate(folder)
        graph_url, ca_file = f"https://127.0.0.1:{tls_port}", certificate.authority
        command += [
            "--tls-port",
            str(tls_port),
            "--certificate",
            str(certificate.server),
            "--key",
            str(certificate.key),
        ]
    child = Child("stub", command, log=folder / "stub.log", cwd=_ROOT)
    child.start()
    try:
        child.wait_ready(lambda: listens(port), 30.0)
        yield RunningStub(url, graph_url, ca_file, child)
    finally:
        child.stop()
