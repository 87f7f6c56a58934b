"""The real client and its double, each with the same hands: the contract tests run once with either.

On the real side a worker's part is played by the queue's own commands, on a clock that moves when told.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Protocol

import redis

from envoi import Envoi, JobStatus
from envoi.asks import Asks
from envoi.events import GraphError
from envoi.outcomes import Outcome
from envoi.queue.begin import AlreadySent, Go, No
from envoi.queue.claim import Claimed
from envoi.states import State
from envoi.testing import FakeEnvoi
from envoi.testing.deliveries import claims
from scheduler.troubles import Troubles
from scheduler.webhooks import WebhookNotices
from tests.integration.queue.hands import Bench

SETTINGS: dict[str, Any] = {
    "app_secret": "sesame",
    "verify_token": "open",
    "loss_bound": 0.000001,
    "events_cap": 1000,
    "page_pace": 1000.0,
    "pace_margin": 0.0,
    "max_attempts": 3,
    # Redis counts these by its own clock, which nobody moves.
    "status_ttl": 30_000_000,
    "key_ttl": 30_000_000,
}


class Rig(Protocol):
    """A client, and the world around it."""

    client: Envoi

    def now(self) -> float: ...

    def advance(self, seconds: float) -> None: ...

    def deliver(self) -> int: ...

    def fail(self, job_id: str) -> bool: ...

    def retry(self, job_id: str) -> bool: ...

    def lose_answer(self, job_id: str) -> bool: ...

    def settle_notices(self) -> None: ...


class _RealClient(Envoi):
    """The real client over a queue that the test has in hand."""

    def __init__(self, queue: Bench, on_outcome: str | None = None) -> None:
        self._queue = queue
        self._asks = Asks(queue.questions, on_outcome)


class Real:
    """A real Redis."""

    def __init__(self, db: redis.Redis, on_outcome: str | None = None) -> None:
        self.queue = Bench(db, **SETTINGS)
        self.queue.open()
        self.client: Envoi = _RealClient(self.queue, on_outcome)
        self._numbers = 0

    def now(self) -> float:
        return self.queue.now()

    def advance(self, seconds: float) -> None:
        self.queue.sleep(seconds)
        self.queue.tick()

    def deliver(self) -> int:
        count = 0
        while held := self._claim():
            count += self._end(held, "sent")
        return count

    def fail(self, job_id: str) -> bool:
        return self._one(job_id, "failed")

    def retry(self, job_id: str) -> bool:
        return self._one(job_id, "retry")

    def lose_answer(self, job_id: str) -> bool:
        return self._one(job_id, "unsure")

    def settle_notices(self) -> None:
        WebhookNotices(self.queue, Troubles()).turn()

    def _claim(self) -> Claimed | None:
        self.queue.sleep(0.01)  # for the page's pace; the double's time stands still meanwhile
        self.queue.tick()
        claimed = self.queue.claim(1)
        return claimed[0] if claimed else None

    def _one(self, job_id: str, end: str) -> bool:
        """This very job, where a worker could begin it now; what else could be begun is given back as it was."""
        taken: list[Claimed] = []
        while held := self._claim():
            taken.append(held)
        found = False
        for held in taken:
            if held.job_id == job_id:
                found = self._end(held, end)
            else:
                self.queue.done(held, "back", seconds=0.0)
        self.queue.tick()
        return found

    def _end(self, held: Claimed, end: str) -> bool:
        acts = "sender_action" in held.job
        answer = Go(0.0) if acts else self.queue.begin(held, patience=60.0)
        if isinstance(answer, No):
            state = {"expired": State.EXPIRED, "opted_out": State.FAILED, "window": State.FAILED}.get(answer.why)
            if state is None:
                self.queue.done(held, "back", seconds=0.0)
            else:
                self.queue.done(held, "settle", state=state, error=GraphError(answer.why))
            return False
        assert isinstance(answer, Go | AlreadySent)
        error = GraphError("made up", 100)
        if end == "sent":
            self._numbers += 1
            whom = held.job["recipient"].get("id")
            message_id = None if acts else f"m_fake{self._numbers}"
            self.queue.done(held, "settle", message_id=message_id, recipient_id=whom)
        elif end == "failed" or (end == "retry" and (acts or held.attempt >= (held.attempts_allowed or 3))):
            self.queue.done(held, "settle", state=State.FAILED, error=error)
        elif end == "retry":
            self.queue.done(held, "retry", seconds=5.0, error=error)
        else:
            no_answer = GraphError("no answer")
            self.queue.done(held, "unsure", seconds=self.queue.settings.settle_wait, error=no_answer)
        return True


class Double:
    """The double."""

    def __init__(self, at: float, on_outcome: str | None = None) -> None:
        self._at = at
        self.fake = FakeEnvoi(on_outcome=on_outcome, clock=lambda: self._at, **SETTINGS)
        self.client: Envoi = self.fake

    def now(self) -> float:
        return self.fake.queue.memory.now()

    def advance(self, seconds: float) -> None:
        self._at += seconds

    def deliver(self) -> int:
        return len(self.fake.deliver())

    def fail(self, job_id: str) -> bool:
        return self._does(lambda: self.fake.fail(job_id, code=100, message="made up"))

    def retry(self, job_id: str) -> bool:
        return self._does(lambda: self.fake.retry(job_id, code=100, message="made up"))

    def lose_answer(self, job_id: str) -> bool:
        return self._does(lambda: self.fake.lose_answer(job_id))

    def settle_notices(self) -> None:
        """They take effect at once."""

    def _does(self, act: Any) -> bool:
        memory = self.fake.queue.memory
        memory.pass_time()
        while not all([claims(memory, job) for job in [*memory.ready()]]):  # noqa: C419  # as the real one takes all
            pass
        try:
            act()
        except ValueError:
            return False
        return True


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def told(outcome: Outcome) -> tuple[Any, ...]:
    """What an app reads in an outcome, its times and places in the stream aside."""
    return outcome.job_id, outcome.state, outcome.message_id, outcome.recipient_id, outcome.key, outcome.target


def seen(status: JobStatus) -> tuple[Any, ...]:
    """What an app reads in a status, times and words aside."""
    error = status.error and (status.error.code, status.error.subcode)
    # That a retry is due is seen by the next tick, in Redis; the double needs none.
    waits = status.state is not State.RETRYING and status.due_at is not None
    message_id = re.sub("[0-9]+$", "#", status.message_id or "")  # in which order conversations go is nobody's promise
    # A worker that takes a retry and gives it back leaves it queued: the rig's takes all that it can get.
    again = status.attempts > 0 and status.state in {State.QUEUED, State.RETRYING}
    return "again" if again else status.state, status.attempts, message_id, status.recipient_id, error, waits


def words(error: Exception) -> str:
    """What an error says, without ids and figures."""
    return re.sub(r"[0-9A-HJKMNP-TV-Z]{26}|[0-9][0-9: -]*", "#", f"{type(error).__name__}: {error}")
