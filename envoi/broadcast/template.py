"""The template of a broadcast: the job of every recipient, without the recipient. Checked as ``send`` checks a job."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from envoi.errors import InvalidBroadcast, InvalidJob, Problem
from envoi.job import Job
from envoi.job_texts import digest_of
from envoi.pace import is_media

_NOT_IN_COMMON = ("id", "recipient", "key", "at")  # each job has its own; a broadcast begins at a time, not each job
_NO_OPTIONS = {
    "recipient": "differs from job to job: see recipients",
    "lane": "is bulk for every broadcast",
    "commented_at": "differs from comment to comment, so a broadcast has none",
    "replay_of": "is not an option of a broadcast",
}
_KEY_LONGEST = 255  # as envoi.job.Job says
_SAMPLE = "1"  # a recipient that any rule takes which takes the message


class Template:
    """What every job of a broadcast has in common.

    Args:
        payload: as :attr:`payload` was stored.
        starts_at: see below.

    Attributes:
        payload: fields of a job, for JSON.
        starts_at: nothing is enqueued before; None: at once.
    """

    def __init__(self, payload: Mapping[str, Any], starts_at: datetime | None = None) -> None:
        self.payload = dict(payload)
        self.starts_at = starts_at

    @classmethod
    def checked(cls, page: str, message: Any, options: Mapping[str, Any]) -> Self:  # noqa: ANN401  # as Job takes it
        """Check everything but the recipients.

        Args:
            page: the sender's page id.
            message: as ``send`` takes it; None with the option ``template``.
            options: other fields of :class:`envoi.Job`.

        Raises:
            InvalidBroadcast: names every field that is wrong, with its limit.
        """
        found = [Problem(name, limit) for name, limit in _NO_OPTIONS.items() if name in options]
        if found:
            raise InvalidBroadcast(*found)
        given = dict(options) if message is None and "template" in options else {**options, "message": message}
        try:
            job = Job(page=page, recipient=_SAMPLE, lane="bulk", **given)
        except InvalidJob as error:
            raise InvalidBroadcast(*error.problems) from None
        payload = json.loads(job.payload(""))
        return cls({name: value for name, value in payload.items() if name not in _NOT_IN_COMMON}, job.at)

    @property
    def page(self) -> str:
        """The sender's page id."""
        return str(self.payload["page"])

    @property
    def platform(self) -> str:
        """Whose rules hold."""
        return str(self.payload.get("platform", "messenger"))

    @property
    def media(self) -> bool:
        """Whether its message counts as media in the page's limits."""
        return is_media(self.payload.get("message") or {})

    @property
    def expires_at(self) -> datetime | None:
        """After which nothing of it is sent."""
        text = self.payload.get("expires_at")
        return datetime.fromisoformat(text) if text else None

    @property
    def content(self) -> str:
        """What two broadcasts with one key must agree in."""
        return digest_of([self.payload, self.starts_at and self.starts_at.isoformat()])

    def job(self, broadcast_id: str, recipient: Mapping[str, Any] | str) -> Job:
        """The job of one recipient.

        A private reply keeps the key that every private reply has, since Meta takes one to each comment.

        Raises:
            InvalidJob: this version would not send it.
        """
        person = {"id": recipient} if isinstance(recipient, str) else dict(recipient)
        fields: dict[str, Any] = {"id": "", **self.payload, "recipient": person}
        if not person.keys() & {"comment_id", "post_id"}:
            fields["key"] = job_key(broadcast_id, person)
        return Job.load(json.dumps(fields))


def job_key(broadcast_id: str, recipient: Mapping[str, Any]) -> str:
    """The key of a recipient's job: it tells an app which broadcast an outcome belongs to."""
    only = next(iter(recipient.values())) if len(recipient) == 1 else None
    key = f"broadcast:{broadcast_id}:{only}"
    return key if only is not None and len(key) <= _KEY_LONGEST else f"broadcast:{broadcast_id}:{digest_of(recipient)}"
