"""The Graph client: one call, one verdict, one record."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from envoi.events import CallRecord, GraphError
from envoi.log.credentials import Credentials
from envoi.settings import Settings
from worker.answers import Answer
from worker.call_errors import NoRightError
from worker.dialing import Host
from worker.endings import ending_of, record_of, tell_unforeseen
from worker.envelope import Envelopes
from worker.looks import Looked, Looks
from worker.restraint import Restraint, Restraints
from worker.steps import Step, body_of, is_media
from worker.token_doubt import TokenDoubts
from worker.tokens import NoTokenError, Tokens, TokensUnavailableError
from worker.transport import GraphAdapter
from worker.verdicts import Refused, Throttled, TryLater, Verdict

_TOKENS_WAIT = 5.0  # seconds that a conversation waits when its page's token cannot be read


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
        self._doubts = TokenDoubts(settings)
        self._looks = Looks(settings, tokens, self._adapter, self._doubts)
        self._restraints = Restraints(settings.throttle_wait)
        self._envelopes = Envelopes(settings)

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
            body = body_of(step, job, self._envelopes.proof(page))
            request = self._envelopes.request(job["page"], page, body, may_start)
        except NoTokenError as error:
            return Outcome(Refused(GraphError(str(error)), "page"), None)
        except TokensUnavailableError as error:
            # This conversation alone: other workers may have the page's token in memory.
            return Outcome(Throttled(GraphError(str(error)), "recipient", _TOKENS_WAIT), None)
        except Exception as error:  # noqa: BLE001  # logged; a call that raises would leave its attempt hanging
            tell_unforeseen(error, step, job)  # nothing was written yet: bounded by the job's attempts
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
            envelope = self._envelopes.of(job["page"], page)
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
        found, status = ending_of(step, job, came, self._settings.throttle_wait)
        record = record_of(step, started_at, seconds, found, status)
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

    def _patience(self, step: Step, job: dict[str, Any]) -> float:
        """Seconds to wait for an answer: Meta may take 75 s to fetch a video before it gives one (SEND_API 0.8)."""
        if step is not Step.MESSAGE:
            return self._settings.action_timeout
        return self._settings.media_timeout if is_media(job) else self._settings.read_timeout
