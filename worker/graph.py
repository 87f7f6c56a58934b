"""The Graph client: one call, one verdict, one record."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import structlog

from envoi.events import CallRecord, GraphError
from envoi.log.credentials import Credentials
from envoi.settings import Settings
from worker.answers import Answer, Judgement, judge, verdict_name
from worker.call_errors import NeverLeftError, NoAnswerError, NoRightError
from worker.dialing import Host
from worker.envelope import Envelope, envelope
from worker.looks import Looked, Looks
from worker.restraint import Restraint, Restraints
from worker.steps import Step, body_of, is_media
from worker.token_doubt import TokenDoubts
from worker.tokens import NoTokenError, Tokens, TokensUnavailableError
from worker.transport import GraphAdapter, GraphRequest
from worker.usage import NOTHING
from worker.verdicts import Accepted, Refused, Throttled, TryLater, Unknown, Verdict

_TOKENS_WAIT = 5.0  # seconds that a conversation waits when its page's token cannot be read

log = structlog.get_logger()


@dataclass(slots=True)  # not frozen: that takes three times as long to make
class Outcome:
    """What a step came to.

    Attributes:
        record: for the log; None where no request was made.
        restraints: what the usage headers ask for, as far as the queue does not know it.
    """

    verdict: Verdict
    record: CallRecord | None
    restraints: tuple[Restraint, ...] = ()


@dataclass(slots=True)  # not frozen: that takes three times as long to make
class Ready:
    """A call that only needs to be written: to whom, what, and how long its answer may take (seconds)."""

    step: Step
    job: dict[str, Any]
    page: Credentials
    host: Host
    data: bytes
    patience: float


class Graph:
    """Makes calls for jobs. Threads share it.

    Two ways: :meth:`call` blocks its thread until the verdict; :meth:`ready` and :meth:`outcome` are the two ends of a
    call that somebody else makes on a connection of ``connections`` (worker/lines.py), and wait for nothing.
    """

    def __init__(self, settings: Settings, tokens: Tokens) -> None:
        self._settings = settings
        self._tokens = tokens
        self._adapter = GraphAdapter(settings.concurrency)
        self._looks = Looks(settings, tokens, self._adapter)
        self._restraints = Restraints(settings.throttle_wait)
        self._doubts = TokenDoubts(settings)
        self._envelopes: dict[str, Envelope] = {}

    @property
    def connections(self) -> GraphAdapter:
        """Where connections are kept while they are idle."""
        return self._adapter

    def call(self, step: Step, job: dict[str, Any], token_version: int, may_start: Callable[[], bool]) -> Outcome:
        """Make the call of one step. It does not raise: the caller's thread has nobody to tell.

        Args:
            step: which.
            job: the job as enqueued.
            token_version: of the page's token, as claimed.
            may_start: asked right before the first byte is written, when the connection stands; False when our right
                to make the call may have run out.
        """
        try:
            page = self._tokens.get(job["page"], token_version)
            request = self._request(job["page"], page, body_of(step, job, self._proof(page)), may_start)
        except NoTokenError as error:
            return Outcome(Refused(GraphError(str(error)), "page"), None)
        except TokensUnavailableError as error:
            # This conversation alone: other workers may have the page's token in memory.
            return Outcome(Throttled(GraphError(str(error)), "recipient", _TOKENS_WAIT), None)
        except Exception as error:  # noqa: BLE001  # logged; a call that raises would leave its attempt hanging
            _unforeseen(error, step, job)  # nothing was written yet: bounded by the job's attempts
            return Outcome(TryLater(GraphError(f"no request made: {type(error).__name__}"), answered=False), None)
        times = (self._settings.connect_timeout, self._patience(step, job))
        started_at, started = time.time(), time.perf_counter()
        came: Answer | Exception
        try:
            response = self._adapter.send(request, timeout=times)
            came = Answer(response.status_code, response.content, response.headers)
        except Exception as error:  # noqa: BLE001  # it decides the verdict
            came = error
        outcome = self.outcome(step, job, page, came, started_at, time.perf_counter() - started)
        return self.reconsidered(outcome, job, page) if self.doubtful(outcome, step, page) else outcome

    def ready(self, step: Step, job: dict[str, Any], token_version: int) -> Ready | None:
        """A call as it is to be written, without waiting for anything.

        Returns:
            None: :meth:`call` is to make it, since it has to wait for the token, or has something to say.
        """
        page = self._tokens.known(job["page"], token_version)
        if page is None:
            return None
        try:
            envelope = self._envelope(job["page"], page)
            data = envelope.around(body_of(step, job, envelope.proof))
            return Ready(step, job, page, envelope.host, data, self._patience(step, job))
        except Exception:  # noqa: BLE001  # `call` meets it again, and tells it
            return None

    def outcome(  # noqa: PLR0917  # the call, and what came of it
        self,
        step: Step,
        job: dict[str, Any],
        page: Credentials,
        came: Answer | Exception,
        started_at: float,
        seconds: float,
    ) -> Outcome:
        """What a call came to that was made, or tried. It does not raise.

        Args:
            step: which.
            job: the job as enqueued.
            page: whose token it carried.
            came: the answer, or what sending it raised.
            started_at: seconds since the epoch.
            seconds: how long it took.
        """
        if isinstance(came, NoRightError):
            return Outcome(TryLater(GraphError(str(came)), answered=False), None)
        found, status = self._meaning(step, job, came)
        record = _record(step, started_at, seconds, found, status)
        return Outcome(found.verdict, record, self._restraints.asked_by(found.usage, job["page"], page.app))

    def doubtful(self, outcome: Outcome, step: Step, page: Credentials) -> bool:
        """Whether the outcome is to be :meth:`reconsidered`: Graph has refused the token of a message call."""
        return step is Step.MESSAGE and self._doubts.concern(outcome.verdict, page)

    def reconsidered(self, outcome: Outcome, job: dict[str, Any], page: Credentials) -> Outcome:
        """The outcome once Graph was asked whether the token is dead, which may take seconds."""
        return replace(outcome, verdict=self._doubts.reconsider(outcome.verdict, job["page"], page))

    def look(self, job: dict[str, Any], token_version: int, asked_at: float) -> Looked:
        """Look into a job's conversation: :meth:`worker.looks.Looks.look`."""
        return self._looks.look(job, token_version, asked_at)

    def close(self) -> None:
        """Close idle connections."""
        self._adapter.close()

    def _meaning(self, step: Step, job: dict[str, Any], came: Answer | Exception) -> tuple[Judgement, int | None]:
        """The judgement, and the HTTP status as far as one came."""
        status: int | None = None
        if isinstance(came, Answer):
            status = came.status
            try:
                return judge(came, step, self._settings.throttle_wait), status
            except Exception as error:  # noqa: BLE001  # logged; a call that raises would leave its attempt hanging
                came = error
        if isinstance(came, NeverLeftError):
            return _lost(TryLater(GraphError(f"Graph API: {came}"), answered=False)), None
        if isinstance(came, NoAnswerError):
            return _lost(Unknown(GraphError(f"Graph API: {came}"))), came.status
        _unforeseen(came, step, job)  # the message may be out: never a silent retry
        return _lost(Unknown(GraphError(f"unforeseen: {type(came).__name__}"))), status

    def _patience(self, step: Step, job: dict[str, Any]) -> float:
        """Seconds to wait for an answer: Meta may take 75 s to fetch a video before it gives one (SEND_API 0.8)."""
        if step is not Step.MESSAGE:
            return self._settings.action_timeout
        return self._settings.media_timeout if is_media(job) else self._settings.read_timeout

    def _proof(self, page: Credentials) -> str | None:
        return page.proof(self._settings.own_app_secret)

    def _envelope(self, page_id: str, page: Credentials) -> Envelope:
        """Made once for each version of a page's credentials."""
        found = self._envelopes.get(page_id)
        if found is None or found.page is not page:
            found = envelope(page, self._request(page_id, page, b"", lambda: True), self._proof(page))
            self._envelopes[page_id] = found
        return found

    def _request(self, page_id: str, page: Credentials, body: bytes, may_start: Callable[[], bool]) -> GraphRequest:
        """Token in a header, never in the address (SEND_API 6); to the page's own host, proved by its own app."""
        base = f"{page.graph_url or self._settings.graph_url}/{self._settings.graph_version}"
        headers = {
            "Authorization": f"Bearer {page.token.get_secret_value()}",
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "envoi",
        }
        return GraphRequest(f"{base}/{page_id}/messages", headers, body, may_start)


def _lost(verdict: TryLater | Unknown) -> Judgement:
    return Judgement(verdict, None, NOTHING)


def _unforeseen(error: Exception, step: Step, job: dict[str, Any]) -> None:
    """Where it happened and no more: a message or a traceback's locals might hold the token or the text."""
    where = [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-3:]]
    log.error(
        "a call failed in an unforeseen way",
        action="call",
        job=job.get("id"),
        step=step.value,
        error=type(error).__name__,
        where=where,
    )


def _record(step: Step, started_at: float, seconds: float, found: Judgement, status: int | None) -> CallRecord:
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
