"""A Celery beat scheduler whose tick runs the duties, and publishes nothing."""

from __future__ import annotations

from typing import Any

from celery import Celery, beat

from envoi.logs import configure_logs
from envoi.settings import settings
from scheduler import leaving
from scheduler.collector import spare_the_collector
from scheduler.scheduler import Scheduler

_STOP_SECONDS = 2.0


class EnvoiScheduler(beat.Scheduler):  # type: ignore[misc]  # Celery ships no types
    """Runs a scheduler of Envoi in the process ``celery beat``.

    It has no schedule, so Celery keeps no file and sends no task: what is due is in Redis. For the banner Celery makes
    one more with ``lazy``, which starts nothing.

    Args:
        app: the Celery application.
        max_interval: the longest sleep between two ticks, in seconds.
        options: as Celery gives them.
    """

    max_interval = 1.0

    def __init__(
        self,
        app: Celery,
        max_interval: float | None = None,
        **options: Any,  # noqa: ANN401  # Celery's own
    ) -> None:
        self._scheduler: Scheduler | None = None
        super().__init__(app, max_interval=max_interval, **options)

    @property
    def info(self) -> str:
        """What the banner says of the schedule."""
        return f"    . queue -> {settings().redis_tag} (its duties; no schedule of tasks)"

    def setup_schedule(self) -> None:
        """Start the log writer. Celery's own periodic tasks are left out: nothing is published."""
        configure_logs()
        self._scheduler = Scheduler(settings())
        spare_the_collector()
        self._scheduler.start()

    def tick(self, *_args: Any, **_options: Any) -> float:  # noqa: ANN401  # Celery's signature has its own helpers
        """Run the duties whose time has come. Returns seconds until the next tick is wanted.

        Raises:
            UnfitRedis: no scheduler may run on this Redis.
        """
        if self._scheduler is None:
            return float(self.max_interval)
        return min(self._scheduler.turn(), float(self.max_interval))

    def close(self) -> None:
        """Stop in order. Celery calls it twice: from its signal handler, and at the end."""
        if self._scheduler is not None:
            leaving.note(in_order=self._scheduler.stop(_STOP_SECONDS))
        super().close()
