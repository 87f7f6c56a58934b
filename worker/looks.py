"""Looks: reads of one conversation through the Conversations API (SEND_API 8), and what came of each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from time import perf_counter
from typing import Any
from urllib.parse import urlencode

from envoi.events import GraphError
from envoi.settings import Settings
from worker.answers import Answer, Judgement, judge
from worker.call_errors import CallError
from worker.evidence import Shown, Thread
from worker.tokens import NoTokenError, Tokens, TokensUnavailableError
from worker.transport import GraphAdapter, GraphRequest
from worker.verdicts import Accepted, Throttled

LIMIT = 20  # messages: older ones have no details (SEND_API 8)
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
    """Looks into conversations. Threads share it; each look blocks its thread."""

    def __init__(self, settings: Settings, tokens: Tokens, adapter: GraphAdapter) -> None:
        self._settings = settings
        self._tokens = tokens
        self._adapter = adapter

    def look(self, job: dict[str, Any], token_version: int, asked_at: float) -> Looked:
        """Look into the conversation of a job to a person known by ``id``. It does not raise for anything Graph does.

        Args:
            job: as enqueued.
            token_version: of the page's token, as the queue knows it.
            asked_at: the time by the queue's clock just now, seconds since the epoch.
        """
        try:
            request = self._request(job, token_version)
        except NoTokenError as error:
            return Looked(Blind(GraphError(str(error))))
        except TokensUnavailableError as error:
            return Looked(Missed(GraphError(str(error))))
        started = perf_counter()
        try:
            response = self._adapter.send(
                request, timeout=(self._settings.connect_timeout, self._settings.action_timeout)
            )
        except CallError as error:
            return Looked(Missed(GraphError(f"Graph API: {error}")), getattr(error, "status", None), _since(started))
        took = _since(started)
        answer = Answer(response.status_code, response.content, response.headers)
        found = judge(answer, "look", self._settings.throttle_wait)
        sight = _sight(found, answer, asked_at + took)
        wait, usage = self._settings.throttle_wait, found.usage
        return Looked(sight, answer.status, took, found.trace, max(usage.app.hold(wait), usage.page.hold(wait)))

    def _request(self, job: dict[str, Any], token_version: int) -> GraphRequest:
        """Token in the header; the proof, if there is a secret, is a parameter, which a GET has in its address only."""
        page = self._tokens.get(job["page"], token_version)
        asked = {"platform": job.get("platform", "messenger"), "user_id": job["recipient"]["id"], "fields": _FIELDS}
        proof = page.proof(self._settings.own_app_secret)
        if proof:
            asked["appsecret_proof"] = proof
        headers = {
            "Authorization": f"Bearer {page.token.get_secret_value()}",
            "Accept-Encoding": "identity",
            "User-Agent": "envoi",
        }
        base = f"{page.graph_url or self._settings.graph_url}/{self._settings.graph_version}"
        address = f"{base}/{job['page']}/conversations?{urlencode(asked)}"
        return GraphRequest(address, headers, b"", lambda: True, "GET")


def _since(started: float) -> float:
    return perf_counter() - started


def _sight(found: Judgement, answer: Answer, now: float) -> Sight:
    verdict = found.verdict
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


def thread_of(body: bytes) -> tuple[tuple[Shown, ...], bool] | None:
    """The messages of the one thread in an answer, and whether there are no more; None: it is not such an answer.

    A person with whom there is no thread has no messages.
    """
    try:
        found = json.loads(body)["data"]
        if found == []:
            return (), True
        [thread] = found
        part = thread["messages"]
        rows = part["data"]
        more = "next" in (part.get("paging") or {})
        return tuple(_shown(rows)), not more and len(rows) < LIMIT
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _seconds(text: str) -> float:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment.timestamp()


def _shown(rows: list[dict[str, Any]]) -> Iterator[Shown]:
    for row in rows:
        text, author = row.get("message"), (row.get("from") or {}).get("id")
        message_id = row["id"]
        if not isinstance(message_id, str):
            raise TypeError("an id must be a text")
        yield Shown(
            id=message_id,
            created=_seconds(row["created_time"]),
            author=None if author is None else str(author),
            text=text if isinstance(text, str) else None,
            bare=not row.get("attachments"),
        )
