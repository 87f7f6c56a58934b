"""One attempt of a job: a walk through its steps, written as a generator that asks for what it needs.

It does no I/O itself: it yields calls, commands to the queue and waits, and is resumed with their answers. So the
engine can share one trip to Redis among many attempts, and a test can play any answer at any step.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, assert_never

from envoi.events import CallRecord, GraphError
from envoi.queue.commands import AlreadySent, Begin, BeginAnswer, Claimed, Command, Done, Go, No, Stale
from envoi.settings import Settings
from envoi.states import State
from worker.graph import Outcome
from worker.settlement import Settlement, settlement
from worker.steps import Step
from worker.verdicts import Accepted, Unknown

TYPING_FRESH = 15.0  # seconds after which typing_on is repeated; the bubble ends by itself after 20 (SEND_API 10)
TYPING_LIFE = 20.0  # seconds


@dataclass(frozen=True, slots=True)
class Call:
    """Make this step's call; answered with an :class:`worker.graph.Outcome`."""

    step: Step


@dataclass(frozen=True, slots=True)
class Wait:
    """Resume after so many seconds."""

    seconds: float


Ask = Call | Wait | Command
Walk = Generator[Ask, Any, str]


class Delivery:
    """One attempt. :meth:`walk` is the way; the attributes say how it went, for the log."""

    def __init__(self, held: Claimed, rules: Settings, clock: Callable[[], float] = time.time) -> None:
        self.held = held
        self.records: list[CallRecord] = []  # every call of this attempt
        self.message: Outcome | None = None
        self._rules = rules
        self._clock = clock
        self._typed_at = held.typed_at
        self._told = 0  # how many of the records the queue has been told

    def walk(self) -> Walk:
        """The steps in their order. Returns what became of the attempt, for the log."""
        if self.held.message_id:  # a fact came while the job waited
            return (yield from self._sent(None))
        yield from self._courtesies()
        answer: BeginAnswer = yield Begin(self.held, self._typed_at, self._untold())
        match answer:
            case Stale():
                return "stale"
            case AlreadySent():
                return (yield from self._sent(None))
            case No():
                return (yield from self._not_now(answer))
            case Go(wait):
                if wait > 0:
                    yield Wait(wait)
                return (yield from self._message())
            case never:
                assert_never(never)

    def _courtesies(self) -> Generator[Ask, Any, None]:
        """Before the message. They never fail, delay or repeat it, so their verdicts change nothing."""
        job = self.held.job
        if job["mark_seen"] and self.held.attempt == 1 and self._typed_at is None:
            yield from self._call(Step.MARK_SEEN)
        if job["typing"] and (self._typed_at is None or self._clock() - self._typed_at > TYPING_FRESH):
            outcome = yield from self._call(Step.TYPING_ON)
            self._typed_at = self._clock() if isinstance(outcome.verdict, Accepted | Unknown) else None

    def _message(self) -> Walk:
        outcome = self.message = yield from self._call(Step.MESSAGE)
        verdict = outcome.verdict
        if isinstance(verdict, Accepted):
            return (yield from self._sent(verdict))
        decided = settlement(verdict, self.held, self._clock(), self._rules)
        if self._bubble_shows() and decided.op != "unsure":
            # First the fact that the call was answered: should this worker die now, the job is not unknown.
            yield Done(self.held, "keep", self._untold())
        return (yield from self._end(decided))

    def _sent(self, accepted: Accepted | None) -> Walk:
        """The message is out. Its id goes to the queue before anything else is done."""
        if accepted and self.held.job["typing"]:
            yield Done(
                self.held,
                "keep",
                self._untold(),
                message_id=accepted.message_id,
                recipient_id=accepted.recipient_id,
            )
            yield from self._call(Step.TYPING_OFF)
        elif self._bubble_shows():
            yield from self._call(Step.TYPING_OFF)
        message_id = accepted.message_id if accepted else self.held.message_id
        recipient_id = accepted.recipient_id if accepted else None
        yield Done(
            self.held,
            "settle",
            self._untold(),
            state=State.SENT,
            message_id=message_id,
            recipient_id=recipient_id,
        )
        return "sent"

    def _not_now(self, answer: No) -> Walk:
        """Begin said no: nothing was sent."""
        if answer.why == "pace":
            # The bubble stays: the message follows shortly.
            yield Done(self.held, "back", self._untold(), seconds=answer.seconds)
            return "back: pace"
        error = GraphError(f"{answer.why} before the message call")
        match answer.why:
            case "cancelled":
                return (yield from self._end(Settlement("settle", error, state=State.CANCELLED)))
            case "expired":
                return (yield from self._end(Settlement("settle", error, state=State.EXPIRED)))
            case _:
                return (yield from self._end(Settlement("back", error)))

    def _end(self, decided: Settlement) -> Walk:
        """Take the bubble away where it may still show, see to the page, then let the conversation go."""
        if self._bubble_shows():
            yield from self._call(Step.TYPING_OFF)
        if decided.page:
            yield decided.page
        yield Done(
            self.held,
            decided.op,
            self._untold(),
            state=decided.state,
            error=decided.error,
            seconds=decided.seconds,
        )
        return decided.state or decided.op

    def _call(self, step: Step) -> Generator[Ask, Any, Outcome]:
        outcome: Outcome = yield Call(step)
        if outcome.record:
            self.records.append(outcome.record)
        if step is Step.TYPING_OFF:
            self._typed_at = None
        return outcome

    def _bubble_shows(self) -> bool:
        return self._typed_at is not None and self._clock() - self._typed_at < TYPING_LIFE

    def _untold(self) -> list[CallRecord]:
        fresh, self._told = self.records[self._told :], len(self.records)
        return fresh
