"""One worker process: everything that turns bells into deliveries, put together, started and stopped in order."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from celery import Celery
from celery.worker import state
from kombu.exceptions import KombuError

from envoi.errors import EnvoiError, QueueUnavailable
from envoi.graph_versions import warning_about
from envoi.log.database import open_log
from envoi.log.pages import PageStore
from envoi.log.secrets import SecretBox
from envoi.queue.connection import connect
from envoi.queue.queue import Queue
from envoi.queue.server import check_server
from envoi.settings import Settings
from worker.attempts import AttemptLog
from worker.bells import make_template
from worker.counts import Counts
from worker.deadman import DeadMan
from worker.descriptors import make_room
from worker.engine import Engine
from worker.flower import FlowerEvents
from worker.graph import Graph
from worker.leases import LeaseKeeper
from worker.lines import Lines
from worker.metrics import WorkerMetrics
from worker.running import Watcher
from worker.tokens import Tokens, TokensUnavailableError

_FLOWER_TIME = 2.0  # seconds that the last events may take at the end
_LAST_TIME = 2.0  # of the seconds to stop in: kept for what follows the last call, should Redis stand still
_COLLECT_EVERY = 20_000  # objects made and not freed yet
_RETRY = 0.5  # seconds between two looks for a server that is not there yet

log = structlog.get_logger()


class WorkerProcess:
    """The parts of one process, under a name that no other process ever has.

    Args:
        app: the Celery application whose bells wake it.
        hostname: its node name in Celery.
        found: the settings.

    Raises:
        BadSecretKeys, LogError: without keys or an address of the log no token can be read.
    """

    def __init__(self, app: Celery, hostname: str, found: Settings) -> None:
        self.name = f"w{os.getpid():x}-{os.urandom(6).hex()}"
        self._app = app
        self._found = found
        self._queue = Queue(connect(found.redis_url), found)
        self._log = open_log(found.database_url)
        self._tokens = Tokens(PageStore(self._log, SecretBox(found.secret_keys)))
        self._graph = Graph(found, self._tokens)
        self._flower = FlowerEvents(app, hostname) if found.job_events else None
        counts = Counts(found.metrics_pages)
        watchers: list[Watcher] = [AttemptLog(), *([self._flower] if self._flower else [])]
        if found.metrics_port:
            watchers.append(counts)
        lines = Lines(self._graph, found.concurrency) if Lines.can_be_had() else None
        self._engine = Engine(self._queue, self._graph, self.name, watchers, lines)
        self._leases = LeaseKeeper(self._queue, self._engine, self._leave_template)
        self._metrics = WorkerMetrics(found, counts, self._engine, self._leases)
        self._deadman = DeadMan(found.lease, lambda: self._engine.turned_at)
        self._closed_at: float | None = None  # monotonic seconds

    def start(self) -> None:
        """Wait for Redis and, once, for the log; then start. Nothing is claimed before :meth:`wake`.

        Raises:
            BadSettings: more calls at once than this system lets a process have files open.
            NoInit: this process is an init process, which no timer can end.
            UnfitRedis: this Redis would drop jobs, or its queue is too new or too old for this version.
            BadTemplate: this Celery writes bells in a form that we cannot copy.
        """
        make_room(self._found.concurrency)
        if old := warning_about(self._found.graph_version, datetime.now(UTC).date()):
            log.warning(old, action="graph_version")
        self._metrics.start()
        self._wait_for("Redis", self._look_at_redis)
        self._wait_for("the log, for the pages' tokens", self._load_tokens)
        self._leave_template()
        if self._flower:
            self._flower.start()
        _spare_the_collector()
        self._engine.start()
        self._deadman.start()
        self._leases.start()
        self._metrics.started()
        log.info("worker started", action="start", worker=self.name, concurrency=self._found.concurrency)

    def wake(self) -> None:
        """There may be work."""
        self._engine.wake()

    def drain(self) -> None:
        """What a bell asks for: work until nothing can be claimed, or this bell's time is up."""
        self._engine.wake()
        self._engine.wait_idle(self._found.drain_time)

    def close(self) -> None:
        """Claim nothing more; what has not begun is given back."""
        if self._closed_at is None:
            self._closed_at = time.monotonic()
        self._metrics.closed()
        self._engine.close()

    def end_in_time(self) -> None:
        """Close, and end the process when the shutdown time is up.

        Celery waits for a broker that stands still, before it stops us and after it. Nothing is lost by leaving it
        alone: bells are rung again, and what we hold is settled by its leases. To be called in a thread of its own.
        """
        self.close()
        time.sleep(self._found.shutdown_time)
        held = self._engine.unfinished()
        log.warning("Celery did not stop in time", action="stop", worker=self.name, unfinished=held)
        os._exit(0)

    def stop(self) -> None:
        """Finish the calls in flight, within the shutdown time, and end."""
        self.close()
        began, allowed = self._closed_at or time.monotonic(), self._found.shutdown_time
        ends = began + allowed - min(_LAST_TIME, allowed / 4)
        left = self._engine.stop(max(0.0, ends - time.monotonic()))
        rest = min(_LAST_TIME, allowed / 4, max(0.0, began + allowed - time.monotonic())) / 3  # and as much for Celery
        if self._flower:
            self._flower.stop(min(_FLOWER_TIME, rest))
        self._leases.stop(rest, leave=not left)
        if not left:  # else it guards what may still write, up to the end of the process
            self._deadman.stop()
        self._graph.close()
        self._log.dispose()
        self._metrics.stop()
        log.info(
            "worker stopped",
            action="stop",
            worker=self.name,
            seconds=round(time.monotonic() - began, 3),
            unfinished=left,  # their leases run out, and the queue settles them by their marks
        )

    def _wait_for(self, what: str, ready: Callable[[], None]) -> None:
        """Try until it is ready, or until Celery has been told to stop."""
        told = False
        while True:
            self._metrics.trying()
            try:
                ready()
            except (QueueUnavailable, TokensUnavailableError) as error:
                if not told:
                    log.warning("waiting for a server", action="start", server=what, error=str(error))
                told = True
                if state.should_stop is not None or state.should_terminate is not None:
                    raise SystemExit(0) from error
                time.sleep(_RETRY)
            else:
                return

    def _look_at_redis(self) -> None:
        for warning in check_server(self._queue.redis):
            log.warning(warning, action="start")
        self._queue.check_version()

    def _load_tokens(self) -> None:
        log.info("the tokens of the pages are in memory", action="start", pages=self._tokens.load())

    def _leave_template(self) -> None:
        """Leave a bell for the scripts to copy; a restarted Redis may have lost it."""
        try:
            self._queue.leave_template(make_template(self._app, self._queue.keys))
        except (EnvoiError, KombuError, OSError) as error:
            log.warning("could not leave a bell's template", action="template", error=str(error))


def _spare_the_collector() -> None:
    """What was loaded until now stays for good, so the collector of cycles need not look at it again and again.

    A job makes some hundred objects and no cycles: to look for them every 700 objects, as is the default, finds none.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_EVERY, 20, 50)
