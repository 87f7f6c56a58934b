"""An attempt played by hand: what a delivery asks for is answered by the test."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from envoi.events import CallRecord, GraphError
from envoi.ids import new_job_id
from envoi.queue.begin import Begin, Go
from envoi.queue.called import Called
from envoi.queue.claim import Claimed
from envoi.queue.commands import Command
from envoi.queue.done import Done
from envoi.queue.glances import Glance, GlanceAnswer, NoLook, SkipLooks
from envoi.queue.page_commands import HoldPage, PausePage, SlowPage
from envoi.queue.refusal import Refusal
from envoi.queue.reuse import Fetch, Reuse, ReuseAnswer
from envoi.settings import Settings
from worker.answers import verdict_name
from worker.asks import Ask, Call, Look, Tell, Wait
from worker.delivery import Delivery
from worker.graph import Outcome
from worker.looks import Looked
from worker.restraint import Restraint
from worker.steps import Step
from worker.verdicts import Accepted, Verdict

START = 1_000_000.0
SENT = Accepted("m_1", "7")
FETCH = Fetch()
ACTED = Accepted(None, "7")


def held(
    *,
    attempt: int = 1,
    expires: float = 2 * START,
    attempts_allowed: int | None = None,
    typed_at: float | None = None,
    message_id: str | None = None,
    token_version: int = 1,
    refusal: Refusal | None = None,
    look_from: float | None = None,
    claimed_at: float | None = None,
    lean: bool = False,
    **job: Any,
) -> Claimed:
    """A claimed job to the person 7 of the page 1."""
    payload = {"page": "1", "recipient": {"id": "7"}, "message": {"text": "hello"}, "typing": True, "mark_seen": False}
    return Claimed(
        conversation="1:id:7",
        fence="f1",
        job_id="j1",
        attempt=attempt,
        expires=expires,
        attempts_allowed=attempts_allowed,
        lane="replies",
        typed_at=typed_at,
        message_id=message_id,
        token_version=token_version,
        job=json.loads(json.dumps({"id": new_job_id(), **payload, **job})),
        refusal=refusal,
        look_from=look_from,
        claimed_at=claimed_at,
        lean=lean,
    )


def outcome(step: Step, verdict: Verdict, *restraints: Restraint) -> Outcome:
    """What a call came to, with its record."""
    error: GraphError | None = getattr(verdict, "error", None)
    record = CallRecord(step.value, START, 1.0, verdict_name(verdict), error_message=str(error))
    return Outcome(verdict, record, restraints)


class Play:
    """Plays one attempt through.

    Args:
        claimed: the attempt.
        answers: to each step the verdict of its call, or its outcome; other calls are accepted.
        begin: what begin answers; else go at once.
        keep: what done answers to ``keep``, where that is waited for.
        settled: what done answers to everything else.
        reuse: what the queue answers about attachments.
        called: whether an earlier call may have been taken.
        glance: what is answered to the question for a look.
        looked: what the look brings.
        start: seconds since the epoch; a call takes half a second from then on.
    """

    def __init__(
        self,
        claimed: Claimed,
        answers: Mapping[Step, Verdict | Outcome | Callable[[], Outcome]] | None = None,
        *,
        begin: Callable[[Begin], object] | object = None,
        keep: str = "ok",
        settled: str = "ok",
        glance: GlanceAnswer | None = None,
        looked: Looked | None = None,
        rules: Settings | None = None,
        start: float = START,
        reuse: ReuseAnswer = FETCH,
        called: bool = False,
    ) -> None:
        self._reuse = reuse
        self._called = called
        self.now = start
        self.asks: list[Ask] = []  # what the queue is only told as it is, too
        self.not_waited_for: list[Command] = []
        self.delivery = Delivery(claimed, rules or Settings(), lambda: self.now)
        self._answers = answers or {}
        self._begin = begin or Go(0.0)
        self._keep = keep
        self._settled = settled
        self._glance = glance or NoLook()
        self._looked = looked
        walk, value = self.delivery.walk(), None
        try:
            while True:
                ask = walk.send(value)
                if isinstance(ask, Tell):
                    self.not_waited_for.append(ask.command)
                    self.asks.append(ask.command)
                    value = None
                else:
                    self.asks.append(ask)
                    value = self._answer(ask)
        except StopIteration as end:
            self.end: str = end.value

    def _answer(self, ask: Ask) -> Any:  # noqa: PLR0911  # one for each kind of ask
        match ask:
            case Call(step):
                self.now += 0.5
                found = self._answers.get(step, SENT if step is Step.MESSAGE else ACTED)
                found = found() if callable(found) else found
                return found if isinstance(found, Outcome) else outcome(step, found)
            case Wait(seconds):
                self.now += seconds
                return None
            case Begin():
                return self._begin(ask) if callable(self._begin) else self._begin
            case Done(op=op):
                return self._keep if op == "keep" else self._settled
            case Glance() | Look():
                return self._glance if isinstance(ask, Glance) else self._looked
            case HoldPage() | SlowPage() | PausePage() | SkipLooks():
                return True
            case Called():
                return self._called
            case Reuse(op=op):
                return self._reuse if op == "ask" else None
            case _:
                raise AssertionError(ask)

    @property
    def plot(self) -> list[str]:
        """The asks in short: step names, begin, done's op, wait, hold, pause."""
        short: list[str] = []
        for ask in self.asks:
            match ask:
                case Call(step):
                    short.append(step.value)
                case Done(op=op, state=state):
                    short.append(f"{op} {state}" if state else op)
                case Called(op=op):
                    short.append(f"called {op}")
                case Reuse(op=op):
                    short.append(f"reuse {op}")
                case _:
                    short.append(type(ask).__name__.lower().removesuffix("page"))
        return short

    def done(self, op: str) -> Done:
        """The one command ``done`` with this op."""
        (found,) = [ask for ask in self.asks if isinstance(ask, Done) and ask.op == op]
        return found

    @property
    def told(self) -> list[str]:
        """The steps of all records that the queue was told last, in order."""
        words = [ask.calls for ask in self.asks if isinstance(ask, Begin | Done)]
        return [record.step for record in words[-1]]
