"""What a scheduler shows: how its duties fare, what the samplers found, whether it is alive and ready."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from prometheus_client.core import Metric

from envoi.metrics import families
from envoi.metrics.exposition import exposed, registry_of
from envoi.metrics.health import Health
from envoi.metrics.server import MetricsServer
from envoi.settings import Settings
from envoi.version import VERSION
from scheduler.due import DueTimes
from scheduler.duties import Duties
from scheduler.lease import Lease
from scheduler.log_writer import LogWriter
from scheduler.sampler import Sampler
from scheduler.troubles import Troubles

_STUCK = 60.0  # seconds; longer than any step of a duty may take, on a Redis and a database that stand still too
_BEHIND = 5.0  # seconds since `due` was done that it may be late without being told


class SchedulerMetrics:
    """One scheduler, as it is seen from outside. It asks Redis and SQL nothing.

    Args:
        settings: where it is shown.
        duties: turned by the scheduler's main thread.
        due, log_writer: what of them is shown.
        leases: of the work that one scheduler does at a time, by its name.
        troubles: how everything fares.
        samplers: what was read of queue and log.
        clock: that of all these.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        duties: Duties,
        due: DueTimes,
        log_writer: LogWriter,
        leases: Mapping[str, Lease],
        troubles: Troubles,
        samplers: Sequence[Sampler],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._duties = duties
        self._due = due
        self._log_writer = log_writer
        self._leases = leases
        self._troubles = troubles
        self._samplers = samplers
        self._clock = clock
        self._stopped = False
        self.registry = registry_of(self.collect)
        self._server: MetricsServer | None = None

    def start(self) -> None:
        """Show them, if a port is set."""
        if self._settings.metrics_port:
            host, port = self._settings.metrics_host, self._settings.metrics_port
            self._server = MetricsServer(host, port, self.registry, self)
            self._server.start()

    def stop(self) -> None:
        """Show nothing more."""
        self._stopped = True
        if self._server is not None:
            self._server.stop()

    def healthy(self) -> Health:
        """Whether its duties make progress. Work in threads of its own that is stuck is taken over by others."""
        ago = self._clock() - self._duties.moved_at
        return Health((f"its duties have stood still for {ago:.0f} s",)) if ago > _STUCK else Health()

    def ready(self) -> Health:
        """Whether what comes due is moved now: the gate is open, and Redis answers."""
        wrong = list(self.healthy().wrong)
        if self._stopped:
            wrong.append("it stops")
        records = self._duties.records
        if self._due.shut:
            wrong.append(f"the gate is shut: {records['gate'].error or 'the queue is not open yet'}")
        ended = records["due"].ended
        if ended is None or self._clock() - ended > _BEHIND:
            wrong.append(f"what is due is not moved: {records['due'].error or 'no turn has ended lately'}")
        return Health(tuple(wrong))

    def collect(self) -> Iterator[Metric]:
        """All of it, for a scrape, in any thread."""
        yield exposed(families.BUILD, {("scheduler", VERSION): 1})
        yield exposed(families.HEALTHY, self.healthy().good)
        yield exposed(families.READY, self.ready().good)
        yield from self._fare()
        yield exposed(families.DUE_LATE, self._due.late)
        yield exposed(families.LOGGED, {(state,): count for state, count in self._log_writer.states.items()})
        yield exposed(families.SAMPLE_AGE, {(sampler.of,): sampler.age for sampler in self._samplers})
        for sampler in self._samplers:
            yield from sampler.collect()

    def _fare(self) -> Iterator[Metric]:
        """How each duty fares: those of the duties' thread, and all work beside it."""
        records, tallies, now = self._duties.records, self._troubles.tallies(), self._troubles.now()
        ran = {name: tally.well for name, tally in tallies.items()} | {
            name: lease.ran for name, lease in self._leases.items()
        }
        at = time.time() - self._clock()
        yield exposed(families.DUTY_RUN, {(name,): at + moment for name, moment in ran.items() if moment is not None})
        yield exposed(families.DUTY_FAILURES, {(name,): tally.failures for name, tally in tallies.items()})
        yield exposed(families.DUTY_TROUBLE, {(name,): name in now for name in tallies})
        yield exposed(families.DUTY_LEADS, {(name,): lease.leads for name, lease in self._leases.items()})
        yield exposed(families.DUTY_LATE, {(name,): record.late for name, record in records.items()})
        yield exposed(families.DUTY_TOOK, {(name,): record.took for name, record in records.items()})
