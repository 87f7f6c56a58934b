"""The application that ``celery -A worker worker`` and ``celery -A worker flower`` find."""

from __future__ import annotations

import threading
from typing import Any, ClassVar

import structlog
from celery import bootsteps, signals
from celery.concurrency.solo import TaskPool as SoloPool
from celery.concurrency.thread import TaskPool as ThreadPool

from envoi.errors import EnvoiError
from envoi.logs import configure_logs
from envoi.settings import settings
from worker.app import make_app
from worker.bell_request import BellRequest
from worker.bells import TASK, BadTemplate
from worker.process import WorkerProcess

log = structlog.get_logger()

app = make_app(settings())
_process: WorkerProcess | None = None  # Celery finds its tasks by module: one worker a process


@app.task(name=TASK, Request=BellRequest, send_events=False, acks_late=False, ignore_result=True)  # type: ignore[untyped-decorator]  # Celery ships no types
def drain() -> None:
    """Answer a bell. Jobs are claimed from the queue: this message carries none."""
    if _process is not None:
        _process.drain()


class DeliveryStep(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery ships no types
    """Starts deliveries before bells are read, and ends them before Celery waits for its threads."""

    requires: ClassVar[set[str]] = {"celery.worker.components:Pool"}

    def __init__(self, worker: Any, **options: Any) -> None:  # noqa: ANN401  # Celery's worker
        super().__init__(worker, **options)
        if not issubclass(worker.pool_cls, (ThreadPool, SoloPool)):
            raise SystemExit("envoi: a worker makes its own threads; use Celery's pool `threads`")

    def start(self, worker: Any) -> None:  # noqa: ANN401
        """Start the process's parts."""
        global _process  # noqa: PLW0603  # see there
        try:
            _process = WorkerProcess(worker.app, worker.hostname, settings())
            _process.start()
        except (EnvoiError, BadTemplate) as error:
            log.critical("the worker cannot start", action="start", error=str(error))
            raise SystemExit(1) from error

    def close(self, worker: Any) -> None:  # noqa: ANN401, ARG002
        """SIGTERM has come: claim nothing more."""
        if _process:
            _process.close()

    def stop(self, worker: Any) -> None:  # noqa: ANN401, ARG002
        """Finish what is in flight."""
        if _process:
            _process.stop()

    terminate = stop


app.steps["worker"].add(DeliveryStep)


@signals.worker_ready.connect  # type: ignore[untyped-decorator]  # Celery ships no types
def _ready(**_: object) -> None:
    """Bells are read now; there may be work that nobody rang for."""
    if _process:
        log.info("ready", action="ready")
        _process.wake()


@signals.worker_shutting_down.connect  # type: ignore[untyped-decorator]  # Celery ships no types
def _shutting_down(**_: object) -> None:
    """SIGTERM has come, and Celery may be waiting for its broker: the bootstep's `close` can be late."""
    if _process:
        # In a thread: a signal may come while this one holds a lock that closing needs.
        threading.Thread(target=_process.end_in_time, name="envoi-end", daemon=True).start()


@signals.setup_logging.connect  # type: ignore[untyped-decorator]  # Celery ships no types
def _logs(loglevel: int | str = "INFO", **_: object) -> None:
    """Celery asks who sets the logs up: we do."""
    configure_logs(loglevel if isinstance(loglevel, str) else "INFO")
