"""The usual Celery task (benchmarks/usual): prefork, ``requests.post``, ``autoretry_for``, one ORM commit a job."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from celery import Celery

from benchmarks.peer import Place
from benchmarks.sent_messages import SentMessages
from benchmarks.work import Message
from demo.child import Child

_ROOT = Path(__file__).parents[2]
_POOL = 8
_STOP = 60.0  # seconds; with tasks in hand, a process of the pool may wait 30 s for its last words to be read
_TASK = "benchmarks.usual.tasks.send_message"


class UsualCelery:
    """Celery's defaults, and a pool of eight processes, whatever the latency."""

    batch = 1

    def __init__(self, place: Place) -> None:
        self._cores = place.cores
        self._producer = Celery("shop", broker=place.redis_url)
        self._rows = SentMessages(place.database_url)
        self._worker = Child(
            "celery",
            [sys.executable, "-m", "celery", "-A", "benchmarks.usual.tasks", "worker", "-c", str(_POOL)],
            log=place.folder / "celery.log",
            env={
                **os.environ,
                "CELERY_BROKER_URL": place.redis_url,
                "DATABASE_URL": place.database_url,
                "GRAPH_URL": place.graph_url,
                "PAGE_ACCESS_TOKEN": "page-token",
            },
            cwd=_ROOT,
        )

    def start(self) -> None:
        """Make the table and start the worker."""
        self._rows.create()
        with self._cores.for_workers():
            self._worker.start()

    def enqueue(self, messages: Sequence[Message]) -> None:
        """Publish one task for each message, as ``send_message.delay(…)`` does."""
        for message in messages:
            self._producer.send_task(_TASK, (message.page, message.recipient, message.text), ignore_result=True)

    def committed(self) -> int:
        """Count the rows."""
        return self._rows.count()

    def pids(self) -> dict[str, list[int]]:
        """The worker; its pool are its children."""
        return {"worker": [self._worker.pid]}

    def check(self) -> None:
        """See that the worker runs."""
        if not self._worker.running:
            raise self._worker.failure("has ended by itself")

    def stop(self) -> None:
        """Stop the worker; tasks that it has not begun stay in Redis."""
        self._producer.close()
        self._rows.close()
        self._worker.stop(_STOP)
