"""What the double keeps in place of Redis, and how its parts move together."""

from __future__ import annotations

import itertools
import time
from collections import defaultdict
from collections.abc import Callable, Iterator

from envoi.events import GraphError, dump_error
from envoi.settings import Settings
from envoi.states import State
from envoi.testing.enqueued import Enqueued
from envoi.testing.streams import Streams

NEVER = float("inf")


class Memory:
    """Jobs, lines and what is said of conversations.

    Args:
        settings: of the queue.
        clock: seconds since the epoch; what ``advance`` adds is put on top.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self.jobs: dict[str, Enqueued] = {}
        self.lines: dict[str, list[str]] = defaultdict(list)
        self.keys: dict[str, tuple[str, str, float]] = {}  # by page and key: job, content, until when
        self.heard: dict[str, float] = {}
        self.holds: dict[str, tuple[float, float]] = {}  # since, until
        self.opt_outs: dict[str, float] = {}
        self.streams = Streams(self.now)
        self.ahead = 0.0
        self._clock = clock
        self._numbers = itertools.count(1)

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._clock() + self.ahead

    def pass_time(self) -> None:
        """What time has brought about: scheduled jobs enter their lines, retries are due, doubts and holds end."""
        now = self.now()
        ripe = [job for job in self.jobs.values() if job.due is not None and job.due <= now]
        for job in sorted(ripe, key=lambda job: (job.due, job.id)):
            if job.state is State.SCHEDULED:
                self.enter(job)
            elif job.state is State.SETTLING:
                self.conclude(job)
            elif job.state is State.RETRYING:
                job.due = None
        for conversation in [name for name, (_, until) in self.holds.items() if until <= now]:
            del self.holds[conversation]

    def job(self, job_id: str) -> Enqueued | None:
        """A job that is known still."""
        job = self.jobs.get(job_id)
        kept = max(1, round(self.settings.status_ttl))
        if job is None or (job.settled_at is not None and job.settled_at + kept <= self.now()):
            return None
        return job

    def head(self, conversation: str) -> Enqueued | None:
        """The first job of a line."""
        line = self.lines.get(conversation)
        return self.jobs[line[0]] if line else None

    def enter(self, job: Enqueued) -> None:
        """A job enters its line."""
        job.state, job.due = State.QUEUED, None
        self.lines[job.conversation].append(job.id)

    def leave(self, job: Enqueued) -> None:
        """A job is in no line any more, and waits for nothing."""
        line = self.lines[job.conversation]
        if job.id in line:
            line.remove(job.id)
        if not line:
            del self.lines[job.conversation]
        job.due = None

    def settle(
        self, job: Enqueued, state: State, error: GraphError | None = None, message_id: str | None = None
    ) -> None:
        """A job has its outcome, which is told to who wants it told."""
        self.leave(job)
        job.state, job.error, job.settled_at = state, error, self.now()
        job.message_id = message_id or None
        job.doubted = state is State.UNKNOWN
        if job.taken is not None and job.taken in self.keys:
            first, content, _ = self.keys[job.taken]
            self.keys[job.taken] = first, content, self.now() + max(1, round(self.settings.key_ttl))
        if out := job.options.get("out"):
            fields = {"j": job.id, "s": str(state), "t": f"{self.now():.6f}", "o": out}
            extra = {"m": message_id, "r": job.recipient_id, "x": dump_error(error)}
            self.streams.append(out, {**fields, **{name: value for name, value in extra.items() if value}})

    def conclude(self, job: Enqueued) -> None:
        """Nobody can say whether a job was sent: it ends so, or goes on if it wants that and has an attempt left."""
        allowed = job.max_attempts or self.settings.max_attempts
        if job.options.get("unknown") == "resend" and job.attempts < allowed:
            job.state, job.due = State.RETRYING, self.now()
        else:
            self.settle(job, State.UNKNOWN, job.error)

    def sent(self, job: Enqueued, message_id: str) -> None:
        """It was sent, with this message id ("": nobody knows it)."""
        self.settle(job, State.SENT, message_id=message_id)

    def new_message_id(self) -> str:
        """One that no other message has."""
        return f"m_fake{next(self._numbers)}"

    def held(self, conversation: str) -> bool:
        """Whether nothing begins in a conversation."""
        return conversation in self.holds

    def window_closed(self, conversation: str, rule: float | None) -> float | None:
        """Since when the window is closed; None while it is open, and for people of whom nothing is known."""
        heard = self.heard.get(conversation)
        closes = None if heard is None or rule is None else heard + rule
        return closes if closes is not None and closes <= self.now() else None

    def ready(self) -> Iterator[Enqueued]:
        """Heads that a worker could begin now: replies first, those that were enqueued first before others."""
        heads = [self.jobs[line[0]] for name, line in self.lines.items() if not self.held(name)]
        able = [job for job in heads if job.state is State.QUEUED or (job.state is State.RETRYING and job.due is None)]
        yield from sorted(able, key=lambda job: (job.lane != "replies", job.id))


def page_of(conversation: str) -> str:
    """Whose conversation it is."""
    return conversation.partition("/")[0]
