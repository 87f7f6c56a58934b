"""What a worker process shows: its counts, how its engine fares, whether it is alive and ready."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from prometheus_client.core import Metric

from envoi.metrics import families
from envoi.metrics.exposition import exposed, registry_of
from envoi.metrics.health import Health
from envoi.metrics.server import MetricsServer
from envoi.settings import Settings
from envoi.version import VERSION
from worker.counts import Counts
from worker.deadman import STUCK
from worker.engine import Engine
from worker.leases import LeaseKeeper

_STARTING = 60.0  # seconds that one try to reach Redis or SQL may take while a worker waits for them to start
_ENDING = 10.0  # seconds beyond its shutdown time that a worker may take to end


class WorkerMetrics:
    """One worker process, as it is seen from outside. It asks Redis nothing.

    Args:
        found: the settings.
        counts: a watcher of the engine.
        engine: whose progress is shown.
        leases: keeps what the engine holds.
        clock: seconds, ever growing.
    """

    def __init__(
        self,
        found: Settings,
        counts: Counts,
        engine: Engine,
        leases: LeaseKeeper,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._found = found
        self._engine = engine
        self._leases = leases
        self._clock = clock
        self._tried_at = self._clock()
        self._started = False
        self._closed_at: float | None = None
        self._registry = registry_of(counts.collect, self.collect)
        self._server: MetricsServer | None = None

    def start(self) -> None:
        """Show them, if a port is set. The worker may still be waiting for its servers."""
        if self._found.metrics_port:
            self._server = MetricsServer(self._found.metrics_host, self._found.metrics_port, self._registry, self)
            self._server.start()

    def stop(self) -> None:
        """Show nothing more."""
        if self._server is not None:
            self._server.stop()

    def trying(self) -> None:
        """It tries to reach a server that it cannot start without."""
        self._tried_at = self._clock()

    def started(self) -> None:
        """The engine turns, and its leases are kept."""
        self._started = True

    def closed(self) -> None:
        """It claims nothing more."""
        if self._closed_at is None:
            self._closed_at = self._clock()

    def healthy(self) -> Health:
        """Whether it makes progress: its engine turns, or it tries to start, or it ends in time."""
        now = self._clock()
        if self._closed_at is not None:
            if now - self._closed_at > self._found.shutdown_time + _ENDING:
                return Health(("it was told to stop and does not end",))
        elif not self._started:
            if now - self._tried_at > _STARTING:
                return Health((f"it does not start: a try takes {now - self._tried_at:.0f} s",))
        elif (ago := self._engine.progress().turned_ago) > STUCK:
            return Health((f"the engine has stood still for {ago:.0f} s",))
        return Health()

    def ready(self) -> Health:
        """Whether it can claim and send now."""
        if self._closed_at is not None:
            return Health(("it stops: it claims nothing more",))
        if not self._started:
            return Health(("it is starting: it waits for Redis or the log",))
        fares, wrong = self._engine.progress(), list(self.healthy().wrong)
        if fares.away:
            wrong.append("Redis does not answer")
        elif fares.shut is None:
            wrong.append("it has not asked the queue for work yet")
        elif fares.shut:
            wrong.append("the gate is shut: the queue is not open, or a scheduler of this version has to run")
        if (ago := self._leases.heard_ago) > self._found.lease:
            wrong.append(f"Redis has taken no renewal of its leases for {ago:.0f} s")
        return Health(tuple(wrong))

    def collect(self) -> Iterator[Metric]:
        """How it fares, for a scrape."""
        fares = self._engine.progress()
        yield exposed(families.BUILD, {("worker", VERSION): 1})
        yield exposed(families.HEALTHY, self.healthy().good)
        yield exposed(families.READY, self.ready().good)
        yield exposed(families.RUNNING, fares.running)
        yield exposed(families.CALLING, fares.calling)
        yield exposed(families.CONCURRENCY, self._found.concurrency)
        yield exposed(families.TURNED, fares.turned_ago if self._started else None)
        yield exposed(families.RENEWED, self._leases.heard_ago if self._started else None)
