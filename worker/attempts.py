"""The wide log line of each attempt."""

from __future__ import annotations

import structlog

from worker.delivery import Delivery

log = structlog.get_logger()


class AttemptLog:
    """A watcher of the engine that logs one line an attempt, with everything but contents."""

    def started(self, delivery: Delivery) -> None:
        """Nothing: the one line comes at the end."""

    def ended(self, delivery: Delivery, came_to: str, seconds: float) -> None:
        """Log how the attempt went."""
        held, error = delivery.held, delivery.error
        log.info(
            "attempt",
            action="attempt",
            job=held.job_id,
            page=held.job["page"],
            lane=held.lane,
            attempt=held.attempt,
            came_to=came_to,
            seconds=round(seconds, 4),
            calls=[f"{call.step}:{call.verdict}:{call.duration_ms:.0f}ms" for call in delivery.records],
            message_id=delivery.message_id,
            look=delivery.look,
            error_code=error.code if error else None,
            error_subcode=error.subcode if error else None,
            error=error.message if error else None,
        )
