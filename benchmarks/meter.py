"""What is used up: CPU time and memory of a Redis, and CPU time of whoever asks it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Cost:
    """What was done since some moment.

    Attributes:
        redis: CPU time of the main thread of Redis, user and system, seconds.
        worker: CPU time of this thread, seconds.
        commands: that Redis ran, those of scripts included.
    """

    redis: float
    worker: float
    commands: float

    def since(self, before: Cost, count: int) -> Cost:
        """Of each of so many things done since then."""
        return Cost(
            (self.redis - before.redis) / count,
            (self.worker - before.worker) / count,
            (self.commands - before.commands) / count,
        )


class Meter:
    """Of one Redis, and of the thread that calls.

    Args:
        db: a client of it.
    """

    def __init__(self, db: Any) -> None:  # noqa: ANN401  # redis-py types every answer as text or bytes
        self._db = db

    def cost(self) -> Cost:
        """Until now. Asking is two commands, which are the same everywhere."""
        worker = time.thread_time()
        found, ran = self._db.info("cpu"), self._db.info("commandstats")
        redis = found["used_cpu_user_main_thread"] + found["used_cpu_sys_main_thread"]
        return Cost(redis, worker, sum(one["calls"] for one in ran.values()))

    def memory(self) -> int:
        """Bytes that Redis has in use."""
        return int(self._db.info("memory")["used_memory"])
