"""Attachments that Meta fetches from an address: once for a page, and sent by their attachment id from then on.

The job itself never changes; what changes is the body of its message call. The first message call that carries an
address asks Meta for an attachment id (``is_reusable``, SEND_API 3), and other jobs with the same address wait for it,
put back with a due time: so one image for thousands of people is fetched once. A job that says ``is_reusable: false``
is left alone, and so are templates, several images at once, and Instagram (the sheet has the parameter for Messenger).
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from typing import Any, Literal

from envoi.queue.claim import Claimed
from envoi.queue.reuse import FetchedNow, Kept, Reuse, ReuseAnswer
from worker.verdicts import Accepted, Refused, Verdict

MEDIA = ("audio", "file", "image", "video")
FETCH_TIME, FETCH_TIME_VIDEO = 30.0, 95.0  # seconds: Meta's 10 and 75 (SEND_API 3), and a typing pause before
ASK_AGAIN = 1.0  # seconds until a job asks again for what another one has fetched
_EXPIRED = (100, 2018074)  # "attachment id invalid, expired or not owned" (SEND_API 4)

Asking = Generator[Reuse, ReuseAnswer, None]


class Attachments:
    """The media of one attempt.

    Args:
        held: the job and its attempt.
        reuse: whether attachment ids are to be reused at all.

    Attributes:
        job: the job as its message call carries it.
    """

    def __init__(self, held: Claimed, *, reuse: bool) -> None:
        self.job = held.job
        self._held = held
        self._payload = _reusable(held.job) if reuse else None
        self._fetching = False
        self._used: str | None = None  # the attachment id that the call carries in place of the job's address

    def find(self) -> Generator[Reuse, ReuseAnswer, float]:
        """Ask how the media goes. Returns the seconds after which to ask again, 0 where it can go."""
        if self._payload is None:
            return 0.0
        answer = yield self._word("ask")
        match answer:
            case Kept(attachment_id):
                self._used = attachment_id
                self.job = self._with({"attachment_id": attachment_id})
            case FetchedNow(seconds):
                return max(0.001, min(ASK_AGAIN, seconds))
            case _:
                self._fetching = True
                self.job = self._with({**self._payload, "is_reusable": True})
        return 0.0

    def expired(self, verdict: Verdict) -> bool:
        """Whether Meta does not know the attachment id (any more) that we, and not the caller, have put in."""
        if self._used is None or not isinstance(verdict, Refused):
            return False
        return (verdict.error.code, verdict.error.subcode) == _EXPIRED

    def forget(self) -> Asking:
        """Let go of an attachment id that Meta does not know: the job is sent with its address, once and for all."""
        if self._used is not None:
            yield self._word("forget", self._used)

    def accepted(self, verdict: Accepted) -> Asking:
        """Keep the attachment id that came with the answer."""
        if self._fetching and verdict.attachment_id:
            self._fetching = False
            yield self._word("keep", verdict.attachment_id)

    def free(self) -> Asking:
        """Nobody needs to wait for this attempt any more."""
        if self._fetching:
            self._fetching = False
            yield self._word("free")

    def _word(self, op: Literal["ask", "keep", "forget", "free"], attachment_id: str = "") -> Reuse:
        held, attachment = self._held, self._held.job["message"]["attachment"]
        kind = attachment["type"]
        digest = hashlib.sha256(f"{kind} {attachment['payload']['url']}".encode()).hexdigest()[:32]
        fetch_time = FETCH_TIME_VIDEO if kind == "video" else FETCH_TIME
        page = held.job["page"]
        return Reuse(op, held.conversation, held.fence, held.job_id, page, digest, fetch_time, attachment_id)

    def _with(self, payload: dict[str, Any]) -> dict[str, Any]:
        message = self._held.job["message"]
        return {**self._held.job, "message": {**message, "attachment": {**message["attachment"], "payload": payload}}}


def _reusable(job: dict[str, Any]) -> dict[str, Any] | None:
    """The payload of media that is given by its address; None for every other job."""
    attachment = job["message"].get("attachment") if "message" in job else None
    if attachment is None or attachment["type"] not in MEDIA or job.get("platform") == "instagram":
        return None
    payload: dict[str, Any] = attachment.get("payload", {})
    return payload if "url" in payload and payload.get("is_reusable") is not False else None
