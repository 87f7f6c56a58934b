"""The whole of Envoi on one machine: Redis, sandbox, scheduler and workers as processes of ours.

The demonstration and the acceptance tests run it. Each process can be stopped, killed, frozen and started again by
name and index; each has its log file.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

import redis

from demo.child import Child, ChildFailed
from demo.commands import new_secret_key, own_environment, run
from demo.ports import free_port, listens
from demo.redis_server import RedisServer
from envoi.queue.keys import Keys

ROOT = Path(__file__).parents[1]
# Order of stopping: first those that make calls, so that none meets a sandbox or a Redis that has gone.
_STOPPING = ("worker", "scheduler", "sandbox")


class Stack:
    """The processes and what they are told in their environment.

    Attributes:
        folder: holds the log file of each process, and the SQLite database.
        redis: our own Redis, or None where one was given.
        environment: what each process finds in its environment; changes reach those started later.
        sandbox_url: where the sandbox answers.
        page: the page that may send.
    """

    def __init__(
        self,
        folder: Path,
        *,
        page: str = "100000000000001",
        redis_url: str | None = None,
        database_url: str | None = None,
        secret_key: str | None = None,
        latency: float = 0.0,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Describe the stack; :meth:`start` runs it.

        Args:
            folder: an existing, empty folder.
            page: id of the page that is registered with the sandbox and with Envoi.
            redis_url: a Redis to use, under a tag of our own; if not given, one is started.
            database_url: the log; if not given, SQLite in ``folder``.
            secret_key: Fernet key that the page's token is encrypted with; a fresh one if not given.
            latency: seconds that the sandbox takes for each call.
            settings: further ``ENVOI_…`` variables, such as a shorter lease.
        """
        self.folder = folder
        self.page = page
        self.redis = None if redis_url else RedisServer(folder=folder)
        self._tag = f"stack-{uuid4().hex[:8]}" if redis_url else "envoi"
        self._port = free_port()
        self._latency = latency
        self._token = f"sandbox-{uuid4().hex}"
        self._children: dict[str, list[Child]] = {name: [] for name in _STOPPING}
        self.sandbox_url = f"http://127.0.0.1:{self._port}"
        self.environment = own_environment(
            {
                "ENVOI_REDIS_URL": self.redis.url if self.redis else str(redis_url),
                "ENVOI_REDIS_TAG": self._tag,
                "ENVOI_DATABASE_URL": database_url or f"sqlite:///{folder / 'log.sqlite3'}",
                "ENVOI_GRAPH_URL": self.sandbox_url,
                "ENVOI_SECRET_KEYS": secret_key or new_secret_key(),
                **(settings or {}),
            }
        )

    @property
    def redis_url(self) -> str:
        """Where the queue is."""
        return self.environment["ENVOI_REDIS_URL"]

    @property
    def database_url(self) -> str:
        """Where the log is."""
        return self.environment["ENVOI_DATABASE_URL"]

    def steps(self, workers: int) -> Iterator[str]:
        """Start everything, one part after the other; each step's name comes before the step is done.

        Raises:
            ChildFailed: says which part, with the last lines of its log.
        """
        if self.redis:
            yield "Redis"
            self.redis.start()
        yield "sandbox (in place of the Graph API)"
        self.start_sandbox()
        yield "SQL log: migrations"
        self.run("migrate")
        yield f"page {self.page}: its token, encrypted"
        self.run("pages", "add", self.page, stdin=self._token)
        yield "scheduler"
        self.start_scheduler()
        for index in range(workers):
            yield f"worker {index + 1} of {workers}"
            self.start_worker()

    def start(self, workers: int = 1) -> None:
        """Start everything: Redis, sandbox, a scheduler and workers, on a migrated log with the page added.

        Raises:
            ChildFailed: says which part, with the last lines of its log.
        """
        for _ in self.steps(workers):
            pass

    def start_sandbox(self, timeout: float = 30.0) -> Child:
        """Start the sandbox."""
        arguments = ["--port", str(self._port), "--page", f"{self.page}={self._token}"]
        arguments += ["--latency", str(self._latency)]
        child = self._start("sandbox", "sandbox", *arguments)
        child.wait_ready(lambda: listens(self._port), timeout)
        return child

    def start_scheduler(self, timeout: float = 30.0) -> Child:
        """Start one more scheduler; it is ready when the queue is open."""
        child = self._start("scheduler", "envoi", "scheduler")
        with redis.Redis.from_url(self.redis_url) as client:
            child.wait_ready(lambda: bool(client.exists(Keys(self._tag).epoch)), timeout)
        return child

    def start_worker(self, *arguments: str, timeout: float = 30.0) -> Child:
        """Start one more worker.

        Args:
            arguments: of ``envoi worker``, such as ``--concurrency``.
            timeout: seconds until it must be ready.
        """
        child = self._start("worker", "envoi", "worker", *arguments)
        child.wait_ready(lambda: "ready" in child.last_lines(1000), timeout)
        return child

    def run(self, *arguments: str, stdin: str = "", timeout: float = 60.0) -> str:
        """Run one command of ``envoi`` to its end, as :func:`demo.commands.run` does."""
        return run(self.environment, *arguments, stdin=stdin, timeout=timeout)

    def child(self, name: str, index: int = 0) -> Child:
        """One process: ``worker``, ``scheduler`` or ``sandbox``, counted from 0 in the order of starting."""
        return self._children[name][index]

    def children(self) -> list[Child]:
        """Every process that was started, in the order of stopping."""
        return [child for name in _STOPPING for child in self._children[name]]

    def check(self) -> None:
        """See that everything still runs.

        Raises:
            ChildFailed: the first process that has ended by itself, with the last lines of its log.
        """
        every = [*([self.redis.child] if self.redis else []), *self.children()]
        for child in every:
            if not child.running:
                raise child.failure(f"has ended with status {child.process.returncode}")

    def close(self) -> None:
        """Stop everything in good order: all workers at once, then the scheduler, the sandbox and Redis.

        Raises:
            ChildFailed: something had to be killed; the rest is stopped all the same.
        """
        troubles = []
        for name in _STOPPING:
            for child in self._children[name]:
                child.terminate()
            for child in self._children[name]:
                try:
                    child.stop()
                except ChildFailed as trouble:
                    troubles.append(str(trouble))
        if self.redis:
            self.redis.close()
        else:
            self._forget_keys()
        if troubles:
            raise ChildFailed("\n".join(troubles))

    def _start(self, name: str, module: str, *arguments: str) -> Child:
        own = self._children[name]
        child = Child(
            f"{name}-{len(own)}",
            [sys.executable, "-m", module, *arguments],
            log=self.folder / f"{name}-{len(own)}.log",
            env=self.environment,
            cwd=ROOT,
        )
        child.start()
        own.append(child)
        return child

    def _forget_keys(self) -> None:
        """Leave a Redis that is not ours as it was."""
        with redis.Redis.from_url(self.redis_url) as client:
            for key in client.scan_iter(f"{Keys(self._tag).base}*", count=1000):
                client.unlink(key)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except ChildFailed as trouble:
            if error is None:
                raise
            error.add_note(f"and while stopping: {trouble}")  # what went wrong first stays the error
