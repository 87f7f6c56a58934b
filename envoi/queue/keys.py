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
    def protocol(self) -> str:
        """String: the highest protocol of a version that has opened the queue (envoi/queue/protocol.py)."""
        return f"{self.base}proto"

    @property
    def script_sets(self) -> str:
        """Hash: the scripts of the versions that have opened the queue lately, each set by its name."""
        return f"{self.base}scripts"

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
        """String: nothing more is enqueued.

        With a time to live: the memory of Redis is nearly used up. ``evicts``: Redis would drop what it is given.
        """
        return f"{self.base}full"

    @property
    def workers(self) -> str:
        """Sorted set: registered workers by when they were last heard of."""
        return f"{self.base}workers"

    @property
    def schedulers(self) -> str:
        """Hash: schedulers by name, each with when it last gave a sign of life, and how it fares."""
        return f"{self.base}schedulers"

    @property
    def recovery(self) -> str:
        """String with a time to live: whose recovery of a wiped queue is under way."""
        return f"{self.base}recover"

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

    def skipped(self, job_id: str) -> str:
        """String: the job was cancelled in its line, and is skipped when its turn comes."""
        return f"{self.base}x:{job_id}"

    def taken(self, page: str, digest: str) -> str:
        """String: the job that has a key (:func:`envoi.job.key_digest`), and the digest of its content."""
        return f"{self.base}k:{page}:{digest}"

    @property
    def aside(self) -> str:
        """List: events that the log could not read or store."""
        return f"{self.base}ev:bad"

    def line(self, conversation: str) -> str:
        """List of job ids: the line of a conversation."""
        return f"{self.base}l:{conversation}"

    def conversation(self, conversation: str) -> str:
        """Hash: the state of the head of a line."""
        return f"{self.base}c:{conversation}"

    @property
    def holds(self) -> str:
        """Sorted set: held conversations by when their holds end, seconds since the epoch; inf: not by themselves."""
        return f"{self.base}holds"

    def held(self, page: str) -> str:
        """Hash: a page's held conversations, each with since when and until when."""
        return f"{self.base}holds:{page}"

    def opt_outs(self, page: str) -> str:
        """Hash: the conversations of a page whose persons have opted out, each with since when."""
        return f"{self.base}optouts:{page}"

    def refusal(self, conversation: str) -> str:
        """String with a time to live: why jobs to this person are refused, until the person writes again."""
        return f"{self.base}r:{conversation}"

    def known(self, conversation: str) -> str:
        """List with a time to live: message ids in a person's thread that are not of a call in doubt."""
        return f"{self.base}mids:{conversation}"

    @property
    def told(self) -> str:
        """Stream: notices of webhooks that the queue is to be told: echoes, enforcements; removed once that is done."""
        return f"{self.base}told"

    @property
    def receipts(self) -> str:
        """Stream: notices of webhooks for the log: receipts, signs of life; removed once they are in it."""
        return f"{self.base}receipts"

    @property
    def late(self) -> str:
        """Sorted set: receipts of messages that the log may not know yet, by when to look again."""
        return f"{self.base}late"

    def heard(self, conversation: str) -> str:
        """String with a time to live: when the person was last heard of, seconds since the epoch."""
        return f"{self.base}in:{conversation}"

    def fed(self, page: str) -> str:
        """String with a time to live: webhooks of this page come in; for how long a refusal holds then, seconds."""
        return f"{self.base}fed:{page}"

    def enforced(self, page: str) -> str:
        """String with a time to live: when Meta last acted against this page, seconds since the epoch."""
        return f"{self.base}enforced:{page}"

    def reused(self, page: str, digest: str) -> str:
        """String with a time to live: the attachment id of media that a page has sent, or who has it fetched now."""
        return f"{self.base}u:{page}:{digest}"

    def page(self, page: str) -> str:
        """Hash: pace, cap, pause and token version of a page."""
        return f"{self.base}p:{page}"

    def waiting(self, page: str, lane: str) -> str:
        """List: conversations that wait for their page in a lane, ``r`` or ``b``."""
        return f"{self.base}w:{page}:{lane}"

    @property
    def alerts(self) -> str:
        """Hash: what operators were told and is so still, by where it was told; each with what tells it from others."""
        return f"{self.base}alerts"

    @property
    def memory(self) -> str:
        """String: a token made by the first feeder that looked; a Redis that was wiped has another one."""
        return f"{self.base}memory"


def conversation_of(page: str, kind: str, recipient: str) -> str:
    """The name of a conversation: made of characters that need no care anywhere."""
    if not (recipient.isascii() and recipient.isalnum()):  # most are digits, which quote leaves as they are
        recipient = quote(recipient, safe="")
    return f"{page}/{kind}/{recipient}"
