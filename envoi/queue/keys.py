"""The names of all keys in Redis. Every key begins with one ``{tag}``, so one cluster slot holds a queue."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Keys:
    """Names of keys under one tag; the scripts derive the same names from :attr:`base`."""

    tag: str = "envoi"

    @property
    def base(self) -> str:
        """What every key begins with; the one key name that is passed to each script."""
        return f"{{{self.tag}}}:"

    @property
    def events(self) -> str:
        """Stream: one entry an event, trimmed behind the log's cursor."""
        return f"{self.base}ev"

    @property
    def epoch(self) -> str:
        """String: the Redis run that the queue is open for; absent while it is closed."""
        return f"{self.base}epoch"

    @property
    def template(self) -> str:
        """String: a bell that Celery made, with placeholders where scripts fill in fresh ids."""
        return f"{self.base}tpl"

    @property
    def bells(self) -> str:
        """List: Celery's one queue of bells."""
        return f"{self.base}bells"

    @property
    def log_lease(self) -> str:
        """String with a time to live: which process is the log writer."""
        return f"{self.base}log"

    @property
    def full(self) -> str:
        """String with a time to live: the memory of Redis is nearly used up, and nothing more is enqueued."""
        return f"{self.base}full"

    @property
    def workers(self) -> str:
        """Sorted set: registered workers by when they were last heard of."""
        return f"{self.base}workers"

    @property
    def doubted(self) -> str:
        """Set: conversations that moved while the gate was shut; the suspect pass looks at them too."""
        return f"{self.base}doubted"

    @property
    def tasks(self) -> str:
        """Stream: outcomes that a scheduler publishes as Celery tasks; one that is published is deleted."""
        return f"{self.base}tasks"

    def outcomes(self, name: str) -> str:
        """Stream: outcomes that an app reads itself; one that is acknowledged is deleted."""
        return f"{self.base}out:{name}"

    def back(self, run_id: str) -> str:
        """Set with a time to live: the workers that have come back in a run of Redis."""
        return f"{self.base}back:{run_id}"

    def job(self, job_id: str) -> str:
        """String: the job as enqueued, a header line and JSON; deleted by the log writer once it is settled."""
        return f"{self.base}j:{job_id}"

    def settled(self, job_id: str) -> str:
        """String with a time to live: state, message id and error of a settled job, JSON."""
        return f"{self.base}s:{job_id}"

    def line(self, conversation: str) -> str:
        """List of job ids: the line of a conversation."""
        return f"{self.base}l:{conversation}"

    def conversation(self, conversation: str) -> str:
        """Hash: the state of the head of a line."""
        return f"{self.base}c:{conversation}"

    def refusal(self, conversation: str) -> str:
        """String with a time to live: why jobs to this person are refused, until the person writes again."""
        return f"{self.base}r:{conversation}"

    def page(self, page: str) -> str:
        """Hash: pace, cap, pause and token version of a page."""
        return f"{self.base}p:{page}"


def conversation_of(page: str, kind: str, recipient: str) -> str:
    """The name of a conversation: made of characters that need no care anywhere."""
    return f"{page}/{kind}/{quote(recipient, safe='')}"
