"""The Graph client: one call, one verdict, one record."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests
import structlog
from pydantic import SecretStr

from envoi.events import CallRecord, GraphError
from envoi.settings import Settings
from worker.answers import Answer, judge, verdict_name
from worker.steps import Step, body_of
from worker.tokens import NoTokenError, Tokens, TokensUnavailableError
from worker.transport import graph_session, never_left
from worker.verdicts import Refused, Throttled, TryLater, Unknown, Verdict

_ANSWER_LIMIT = 1 << 20  # bytes; Graph's answers are a few hundred
_TOKENS_WAIT = 5.0  # seconds a page waits when its token cannot be read

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step came to; without a record where no request was made."""

    verdict: Verdict
    record: CallRecord | None


class Graph:
    """Makes calls for jobs. Threads share it; each call blocks its thread until its verdict."""

    def __init__(self, settings: Settings, tokens: Tokens) -> None:
        self._settings = settings
        self._tokens = tokens
        self._session = graph_session(settings.concurrency)
        self._base = f"{settings.graph_url.rstrip('/')}/{settings.graph_version}/"

    def call(self, step: Step, job: dict[str, Any], token_version: int, may_start: Callable[[], bool]) -> Outcome:
        """Make the call of one step.

        Args:
            step: which.
            job: the job as enqueued.
            token_version: of the page's token, as claimed.
            may_start: asked right before the request is made; False when our right to make it may have run out.
        """
        try:
            token = self._tokens.get(job["page"], token_version)
        except NoTokenError as error:
            return Outcome(Refused(GraphError(str(error)), "page"), None)
        except TokensUnavailableError as error:
            return Outcome(Throttled(GraphError(str(error)), "page", _TOKENS_WAIT), None)
        request = self._request(step, job, token)
        timeout = self._settings.read_timeout if step is Step.MESSAGE else self._settings.action_timeout
        if not may_start():
            return Outcome(TryLater(GraphError("the lease may have run out before the call"), answered=False), None)
        started_at, started = time.time(), time.perf_counter()
        try:
            answer = self._exchange(request, timeout)
        except (requests.RequestException, OSError) as error:
            verdict = _unanswered(error)
            return Outcome(verdict, _record(step, started_at, started, verdict))
        except Exception as error:  # noqa: BLE001  # whatever it was, the message may be out: never a silent retry
            log.exception("a call failed in an unforeseen way", action="call", job=job["id"], step=step.value)
            verdict = Unknown(GraphError(f"unforeseen: {type(error).__name__}"))
            return Outcome(verdict, _record(step, started_at, started, verdict))
        verdict, trace = judge(answer, step, self._settings.throttle_wait)
        return Outcome(verdict, _record(step, started_at, started, verdict, answer.status, trace))

    def _request(self, step: Step, job: dict[str, Any], token: SecretStr) -> requests.PreparedRequest:
        """Token in a header, never in the address (SEND_API 6)."""
        proof = None
        if self._settings.app_secret:
            secret = self._settings.app_secret.get_secret_value()
            proof = hmac.new(secret.encode(), token.get_secret_value().encode(), hashlib.sha256).hexdigest()
        request = requests.PreparedRequest()
        request.prepare(
            method="POST",
            url=f"{self._base}{job['page']}/messages",
            headers={
                "Authorization": f"Bearer {token.get_secret_value()}",
                "Content-Type": "application/json",
                "Accept-Encoding": "identity",
                "User-Agent": "envoi",
            },
            data=body_of(step, job, proof),
        )
        return request

    def _exchange(self, request: requests.PreparedRequest, timeout: float) -> Answer:
        times = (self._settings.connect_timeout, timeout)
        with self._session.send(request, timeout=times, stream=True, allow_redirects=False) as response:
            body: bytes = response.raw.read(_ANSWER_LIMIT)
            return Answer(response.status_code, body)


def _unanswered(error: Exception) -> Verdict:
    """Without an answer: try later when nothing was written, else nobody knows."""
    kind = type(error).__name__
    if never_left(error):
        return TryLater(GraphError(f"no connection to the Graph API ({kind})"), answered=False)
    return Unknown(GraphError(f"no answer from the Graph API ({kind})"))


def _record(  # noqa: PLR0917  # the columns of a call, in order
    step: Step,
    started_at: float,
    started: float,
    verdict: Verdict,
    status: int | None = None,
    trace: str | None = None,
) -> CallRecord:
    error: GraphError | None = getattr(verdict, "error", None)
    return CallRecord(
        step=step.value,
        started_at=started_at,
        duration_ms=round((time.perf_counter() - started) * 1000, 3),
        verdict=verdict_name(verdict),
        http_status=status,
        error_code=error.code if error else None,
        error_subcode=error.subcode if error else None,
        error_message=error.message if error else None,
        fbtrace_id=trace,
        message_id=getattr(verdict, "message_id", None),
    )
