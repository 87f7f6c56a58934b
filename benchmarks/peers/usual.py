"""The usual Celery tasks (benchmarks/usual): ``autoretry_for``, one ORM commit a job; three kinds of pool."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from celery import Celery

from benchmarks.peer import Place
from benchmarks.peers.packages import python_path
from benchmarks.sent_messages import SentMessages
from benchmarks.work import Message
from demo.child import Child

_ROOT = Path(__file__).parents[2]
_STOP = 60.0  # seconds; with tasks in hand, a process of the pool may wait 30 s for its last words to be read


class UsualCelery:
    """Celery's defaults but for the pool.

    Without a Session it makes a connection for each call (tasks.py); with one it keeps them (session_tasks.py).
    """

    batch = 1

    def __init__(self, place: Place, *, pool: str = "prefork", concurrency: int = 8, session: bool = False) -> None:
        self._cores = place.cores
        self._producer = Celery("shop", broker=place.redis_url)
        self._rows = SentMessages(place.database_url)
        tasks = "benchmarks.usual.session_tasks" if session else "benchmarks.usual.tasks"
        self._task = f"{tasks}.send_message"
        self._worker = Child(
            "celery",
            [sys.executable, "-m", "celery", "-A", tasks, "worker", "-P", pool, "-c", str(concurrency)],
            log=place.folder / "celery.log",
            env={
                **os.environ,
                **(python_path("gevent") if pool == "gevent" else {}),
                **({"REQUESTS_CA_BUNDLE": str(place.ca_file)} if place.ca_file else {}),
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
            self._producer.send_task(self._task, (message.page, message.recipient, message.text), ignore_result=True)

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
