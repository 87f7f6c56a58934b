"""What people and Meta do, as the double of the client is told: signed webhooks."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
from typing import Any

from envoi.client import Envoi
from envoi.metadata import join_metadata
from envoi.testing.queue import MemoryQueue

_numbers = itertools.count(1)


class People(Envoi):
    """The methods of :class:`envoi.testing.FakeEnvoi` that bring webhooks."""

    queue: MemoryQueue
    _app_secret: str

    def person_writes(self, page: str, person: str, text: str = "hello") -> None:
        """A person writes to a page: the window opens."""
        self.webhook(*self.webhook_of(page, person, message={"mid": f"m_person{next(_numbers)}", "text": text}))

    def echoes(self, job_id: str, message_id: str | None = None) -> None:
        """Meta tells of a job's message that it was sent: an echo, which settles a job that nobody answered for.

        Raises:
            ValueError: there is no such job, or it is to nobody's id.
        """
        job = self.queue.memory.jobs.get(job_id)
        if job is None or job.message is None or "id" not in job.recipient:
            raise ValueError(f"no message {job_id} to an id")
        metadata = join_metadata(job.message.get("metadata"), job_id)
        echo = {"is_echo": True, "mid": message_id or self.queue.memory.new_message_id(), "metadata": metadata}
        self.webhook(*self.webhook_of(job.page, job.recipient["id"], message=echo, from_page=True))

    def webhook_of(self, page: str, person: str, *, from_page: bool = False, **event: Any) -> tuple[bytes, str]:  # noqa: ANN401  # as SEND_API 7 has it
        """Body and signature of a webhook, as Meta would send it: to be posted to the app under test.

        Args:
            page: whose conversation.
            person: with whom.
            from_page: the page did it, not the person.
            event: what happened, such as ``message={"mid": "m_1", "text": "hello"}`` or ``postback={"payload": "x"}``.
        """
        at = round(self.queue.memory.now() * 1000)
        sender, recipient = (page, person) if from_page else (person, page)
        told = {"sender": {"id": sender}, "recipient": {"id": recipient}, "timestamp": at, **event}
        body = json.dumps({"object": "page", "entry": [{"id": page, "time": at, "messaging": [told]}]}).encode()
        return body, "sha256=" + hmac.new(self._app_secret.encode(), body, hashlib.sha256).hexdigest()
