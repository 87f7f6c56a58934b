"""A job as the log holds it, made into what the queue keeps of it (envoi/queue/lua/job.lua)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from envoi.events import GraphError, dump_error
from envoi.job import Job
from envoi.job_texts import content_digest, key_digest, options_of, seconds
from envoi.queue.keys import conversation_of
from envoi.states import State

_FORMAT, _FORMAT_OF_ACTIONS = 1, 2  # of the header, as in job.lua


@dataclass(frozen=True, slots=True)
class StoredJob:
    """What a row of ``jobs`` says that a recovery needs.

    Attributes:
        payload: as enqueued; None where it was lost before the log could read it.
    """

    id: str
    page: str | None
    kind: str | None
    recipient: str | None
    lane: str | None
    state: State
    attempts: int
    payload: Mapping[str, Any] | None
    expires_at: datetime | None
    due_at: datetime | None
    enqueued_at: datetime
    settled_at: datetime | None
    message_id: str | None
    recipient_id: str | None
    error_code: int | None
    error_subcode: int | None
    error_message: str | None

    @classmethod
    def queued(cls, job: Job, job_id: str, enqueued_at: datetime, age: float) -> Self:
        """As the log has a job that waits in its line, and of which nothing is known but that it was enqueued.

        Args:
            job: as it was enqueued; without ``commented_at``, which would have it expire sooner.
            job_id: its id.
            enqueued_at: aware.
            age: seconds after which it expires, if it does not say itself when.
        """
        return cls(
            id=job_id,
            page=job.page,
            kind=job.recipient.kind,
            recipient=job.recipient.key,
            lane=job.lane,
            state=State.QUEUED,
            attempts=0,
            payload=json.loads(job.payload(job_id)),
            expires_at=job.expires_at or enqueued_at + timedelta(seconds=age),
            due_at=None,
            enqueued_at=enqueued_at,
            settled_at=None,
            message_id=None,
            recipient_id=None,
            error_code=None,
            error_subcode=None,
            error_message=None,
        )

    @property
    def conversation(self) -> str:
        """The name of its conversation; empty where its payload is lost."""
        if self.page is None or self.kind is None or self.recipient is None:
            return ""
        return conversation_of(self.page, self.kind, self.recipient)

    @property
    def error(self) -> str:
        """Why it is where it is, as the queue keeps it; empty: nothing to say."""
        if self.error_message is None:
            return ""
        return dump_error(GraphError(self.error_message, self.error_code, self.error_subcode))

    def key(self) -> tuple[str, str]:
        """The digests of its key and of its content; ``-`` where it has no key."""
        key = self.payload and self.payload.get("key")
        return (key_digest(key), content_digest(self.payload)) if self.payload and key else ("-", "-")

    def text(self) -> str:
        """The job as the queue keeps it: a header line and the payload.

        Raises:
            ValueError: its payload is lost.
        """
        if self.payload is None:
            raise ValueError(f"the log has no payload of job {self.id}")
        attempts = self.payload.get("max_attempts")
        lane = "r" if self.lane == "replies" else "b"
        version = _FORMAT_OF_ACTIONS if "sender_action" in self.payload else _FORMAT
        header: list[object] = [version, lane, self.key()[0], seconds(self.expires_at) or "0"]
        header += ["-" if attempts is None else attempts, self.conversation]
        options = options_of(self.payload)
        if options:
            header.append(options)
        payload = json.dumps(self.payload, ensure_ascii=False, separators=(",", ":"))
        return f"{' '.join(str(part) for part in header)}\n{payload}"

    def status(self) -> str:
        """The status of a settled job as the queue keeps it: JSON (envoi/queue/lua/job.lua)."""
        fields = {
            "state": self.state.value,
            "at": seconds(self.settled_at),
            "attempts": self.attempts,
            "message_id": self.message_id,
            "recipient_id": self.recipient_id,
            "error": self.error,
        }
        return json.dumps({name: value for name, value in fields.items() if value is not None and value != ""})
