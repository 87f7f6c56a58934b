"""The usual Celery tasks (benchmarks/usual): ``autoretry_for``, one ORM commit a job; three kinds of pool."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from celery import Celery

from benchmarks.peer import Place
from benchmarks.peers.one_worker import OneWorker
from benchmarks.peers.packages import python_path
from benchmarks.work import Message
from demo.child import Child

_ROOT = Path(__file__).parents[2]
_STOP = 60.0  # seconds; with tasks in hand, a process of the pool may wait 30 s for its last words to be read


class UsualCelery(OneWorker):
    """Celery's defaults but for the pool.

    Without a Session it makes a connection for each call (tasks.py); with one it keeps them (session_tasks.py).
    """

    batch = 1

    def __init__(self, place: Place, *, pool: str = "prefork", concurrency: int = 8, session: bool = False) -> None:
        self._producer = Celery("shop", broker=place.redis_url)
        tasks = "benchmarks.usual.session_tasks" if session else "benchmarks.usual.tasks"
        self._task = f"{tasks}.send_message"
        worker = Child(
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
        super().__init__(place, worker, _STOP)

    def enqueue(self, messages: Sequence[Message]) -> None:
        """Publish one task for each message, as ``send_message.delay(…)`` does."""
        for message in messages:
            self._producer.send_task(self._task, (message.page, message.recipient, message.text), ignore_result=True)

    def stop(self) -> None:
        """Stop the worker."""
        self._producer.close()
        super().stop()
