"""How a call ended: what its answer means, or the error that came in its place, and the call's record for the log."""

from __future__ import annotations

import traceback
from typing import Any

import structlog

from envoi.events import CallRecord, GraphError
from worker.answers import Answer, Judgement, judge, verdict_name
from worker.call_errors import NeverLeftError, NoAnswerError
from worker.steps import Step
from worker.usage import NOTHING
from worker.verdicts import Accepted, TryLater, Unknown

log = structlog.get_logger()


def ending_of(
    step: Step, job: dict[str, Any], came: Answer | Exception, throttle_wait: float
) -> tuple[Judgement, int | None]:
    """What a call came to that was made, or tried. It does not raise.

    Args:
        step: which.
        job: the job as enqueued.
        came: the answer, or what sending it raised.
        throttle_wait: seconds to wait where a throttle says no time.

    Returns:
        What it means, and the HTTP status as far as one came.
    """
    status: int | None = None
    if isinstance(came, Answer):
        status = came.status
        try:
            return judge(came, step, throttle_wait), status
        except Exception as error:  # noqa: BLE001  # logged; a call that raises would leave its attempt hanging
            came = error
    if isinstance(came, NeverLeftError):
        return _unanswered(TryLater(GraphError(f"Graph API: {came}"), answered=False)), None
    if isinstance(came, NoAnswerError):
        return _unanswered(Unknown(GraphError(f"Graph API: {came}"))), came.status
    tell_unforeseen(came, step, job)  # the message may be out: never a silent retry
    return _unanswered(Unknown(GraphError(f"unforeseen: {type(came).__name__}"))), status


def record_of(step: Step, started_at: float, seconds: float, found: Judgement, status: int | None) -> CallRecord:
    """A call as the log keeps it.

    Args:
        step: which.
        started_at: seconds since the epoch.
        seconds: how long it took.
        found: what it means.
        status: HTTP status; None: none came.
    """
    if isinstance(found.verdict, Accepted):  # nearly all
        return CallRecord(
            step.value,
            started_at,
            round(seconds * 1000, 3),
            "Accepted",
            status,
            fbtrace_id=found.trace,
            message_id=found.verdict.message_id,
        )
    error = found.verdict.error
    return CallRecord(
        step=step.value,
        started_at=started_at,
        duration_ms=round(seconds * 1000, 3),
        verdict=verdict_name(found.verdict),
        http_status=status,
        error_code=error.code,
        error_subcode=error.subcode,
        error_message=error.message,
        fbtrace_id=found.trace,
    )


def tell_unforeseen(error: Exception, step: Step, job: dict[str, Any]) -> None:
    """Log where it happened and no more: a message or a traceback's locals might hold the token or the text."""
    where = [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-3:]]
    log.error(
        "a call failed in an unforeseen way",
        action="call",
        job=job.get("id"),
        step=step.value,
        error=type(error).__name__,
        where=where,
    )


def _unanswered(verdict: TryLater | Unknown) -> Judgement:
    return Judgement(verdict, None, NOTHING)
