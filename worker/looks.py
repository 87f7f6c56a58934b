"""Looks: reads of one conversation through the Conversations API (SEND_API 8), and what came of each."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import perf_counter
from typing import Any
from urllib.parse import urlencode

from envoi.events import GraphError
from envoi.log.credentials import Credentials
from envoi.settings import Settings
from worker.answers import Answer, judge
from worker.call_errors import CallError
from worker.envelope import base_of, headers_of
from worker.evidence import Thread
from worker.thread import LIMIT, thread_of
from worker.token_doubt import TokenDoubts
from worker.tokens import NoTokenError, Tokens, TokensUnavailableError
from worker.transport import GraphAdapter, GraphRequest
from worker.verdicts import Accepted, Throttled, Verdict

_FIELDS = f"messages.limit({LIMIT}){{id,created_time,from,to,message,attachments}}"
_DEAD = frozenset({102, 190})  # the token
_BLIND = frozenset({3, 10, *range(200, 300)})  # a permission is missing (SEND_API 4)


@dataclass(frozen=True, slots=True)
class Seen:
    """The thread, as far as it shows."""

    thread: Thread


@dataclass(frozen=True, slots=True)
class Blind:
    """This page cannot be looked into: a permission is missing, or there is no token to do it with."""

    error: GraphError


@dataclass(frozen=True, slots=True)
class Dead:
    """The page's token is no longer good."""

    error: GraphError


@dataclass(frozen=True, slots=True)
class Busy:
    """The page is throttled: no look for so many seconds."""

    error: GraphError
    seconds: float


@dataclass(frozen=True, slots=True)
class Missed:
    """Nothing to be had this time."""

    error: GraphError


Sight = Seen | Blind | Dead | Busy | Missed


@dataclass(frozen=True, slots=True)
class Looked:
    """One look, for the log too.

    Attributes:
        status: HTTP status; None: no answer, or no call was made.
        seconds: that it took.
        trace: Graph's ``fbtrace_id``.
        hold: seconds in which the page should not be looked into, by the usage headers; 0: no need.
    """

    sight: Sight
    status: int | None = None
    seconds: float = 0.0
    trace: str | None = None
    hold: float = 0.0


class Looks:
    """Looks into conversations. Threads share it; each look blocks its thread.

    Args:
        settings: host and version, and how long things may take.
        tokens: of the pages.
        adapter: makes the requests.
        doubts: tell a token that is dead from one that was refused by mistake.
    """

    def __init__(self, settings: Settings, tokens: Tokens, adapter: GraphAdapter, doubts: TokenDoubts) -> None:
        self._settings = settings
        self._tokens = tokens
        self._adapter = adapter
        self._doubts = doubts

    def look(self, job: dict[str, Any], token_version: int, asked_at: float) -> Looked:
        """Look into the conversation of a job to a person known by ``id``. It does not raise for anything Graph does.

        Args:
            job: as enqueued.
            token_version: of the page's token, as the queue knows it.
            asked_at: the time by the queue's clock just now, seconds since the epoch.
        """
        try:
            page = self._tokens.get(job["page"], token_version)
        except NoTokenError as error:
            return Looked(Blind(GraphError(str(error))))
        except TokensUnavailableError as error:
            return Looked(Missed(GraphError(str(error))))
        request, started = self._request(job, page), perf_counter()
        try:
            response = self._adapter.send(
                request, timeout=(self._settings.connect_timeout, self._settings.action_timeout)
            )
        except CallError as error:
            return Looked(Missed(GraphError(f"Graph API: {error}")), getattr(error, "status", None), _since(started))
        took = _since(started)
        answer = Answer(response.status_code, response.content, response.headers)
        found = judge(answer, "look", self._settings.throttle_wait)
        sight = _sight(self._doubts.reconsider(found.verdict, job["page"], page), answer, asked_at + took)
        wait, usage = self._settings.throttle_wait, found.usage
        return Looked(sight, answer.status, took, found.trace, max(usage.app.hold(wait), usage.page.hold(wait)))

    def _request(self, job: dict[str, Any], page: Credentials) -> GraphRequest:
        """The proof, if there is a secret, is a parameter, which a GET has in its address only."""
        asked = {"platform": job.get("platform", "messenger"), "user_id": job["recipient"]["id"], "fields": _FIELDS}
        proof = page.proof(self._settings.own_app_secret)
        if proof:
            asked["appsecret_proof"] = proof
        address = f"{base_of(page, self._settings)}/{job['page']}/conversations?{urlencode(asked)}"
        return GraphRequest(address, headers_of(page), b"", lambda: True, "GET")


def _since(started: float) -> float:
    return perf_counter() - started


def _sight(verdict: Verdict, answer: Answer, now: float) -> Sight:
    if isinstance(verdict, Accepted):
        messages = thread_of(answer.body)
        if messages is None:
            return Missed(GraphError("the answer has another form than conversations have"))
        return Seen(Thread(*messages, ahead=_ahead(answer, now)))
    error = verdict.error
    if isinstance(verdict, Throttled):
        return Busy(error, verdict.seconds)
    if error.code in _DEAD:
        return Dead(error)
    return Blind(error) if error.code in _BLIND else Missed(error)


def _ahead(answer: Answer, now: float) -> float:
    """Seconds that Graph's clock is ahead of the queue's, by the header ``Date``; 0 where it says nothing."""
    try:
        return parsedate_to_datetime(answer.headers.get("date", "")).timestamp() - now
    except ValueError:
        return 0.0
