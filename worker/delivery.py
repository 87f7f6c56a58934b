"""One attempt of a job: a walk through its steps, written as a generator that asks for what it needs.

It does no I/O itself: it yields calls, commands to the queue and waits, and is resumed with their answers. So the
engine can share one trip to Redis among many attempts, and a test can play any answer at any step.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, assert_never

import structlog

from envoi.events import CallRecord, GraphError
from envoi.queue.commands import (
    AlreadySent,
    Begin,
    BeginAnswer,
    Claimed,
    Command,
    Done,
    Go,
    No,
    PausePage,
    Stale,
)
from envoi.settings import Settings
from envoi.states import State
from worker.bubble import BLINK, Bubble, pause_of
from worker.graph import Outcome
from worker.restraint import Restraint, stronger
from worker.settlement import Settlement, settlement
from worker.steps import Step
from worker.verdicts import Accepted, Unknown

log = structlog.get_logger()

_GATE_WAIT = 0.2  # seconds between two questions at the gate

_FINAL = {"cancelled": State.CANCELLED, "expired": State.EXPIRED}  # what begin says no to for good


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
    """One attempt. :meth:`walk` is the way; the attributes say how it went, for the log.

    Attributes:
        records: every call of this attempt, in order.
        message: what the message call came to, if one was made.
        message_id: of the message, once accepted.
        error: why the attempt came to anything else.
    """

    def __init__(self, held: Claimed, rules: Settings, clock: Callable[[], float] = time.time) -> None:
        self.held = held
        self.records: list[CallRecord] = []
        self.message: Outcome | None = None
        self.message_id: str | None = None
        self.error: GraphError | None = None
        self._rules = rules
        self._clock = clock
        pause = pause_of(held.job)
        # The person has waited before: only the first attempt pauses for typing.
        self._bubble = Bubble(0.0 if pause and held.attempt > 1 else pause, held.typed_at)
        self._seen_at: float | None = None if pause is not None else held.typed_at
        self._restraints: dict[str, Restraint] = {}  # by scope: what the usage headers ask for
        self._told = 0  # how many of the records the queue has been told

    def walk(self) -> Walk:
        """The steps in their order. Returns what became of the attempt, for the log."""
        if self.held.message_id:  # a fact came while the job waited
            return (yield from self._was_sent(self.held.message_id))
        refusal = self.held.refusal
        if refusal and refusal.stops(self.held.job):
            return (yield from self._let_go(Settlement("settle", refusal.told(), state=State.FAILED)))
        pause = yield from self._courtesies()
        if pause > 0:
            return (yield from self._pause())
        return (yield from self._begun((yield from self._ask_to_begin())))

    def _courtesies(self) -> Generator[Ask, Any, float]:
        """Before the message. They never fail, delay or repeat it, so their verdicts change nothing.

        Returns:
            Seconds that typing has still to go on, longer than a slot waits for; 0: go on with the message.
        """
        job = self.held.job
        first = self.held.attempt == 1 and self._bubble.since is None and self._seen_at is None
        if job["mark_seen"] and first and "id" in job["recipient"]:
            yield from self._call(Step.MARK_SEEN)
            self._seen_at = self._clock()
        while True:
            if self._bubble.due(self._clock()):
                outcome = yield from self._call(Step.TYPING_ON)
                if not isinstance(outcome.verdict, Accepted | Unknown):
                    self._bubble.put_down()  # nothing shows, so there is nothing to wait for
                    return 0.0
                self._bubble.put_up(self._clock())
            rest = self._bubble.rest(self._clock())
            if rest <= 0 or rest > BLINK:
                return rest
            yield Wait(rest)

    def _pause(self) -> Walk:
        """Let go of the conversation while typing goes on; the bubble stays, and the queue notes since when."""
        rest = self._bubble.rest(self._clock())
        yield Done(self.held, "back", self._untold(), seconds=rest, typed_at=self._noted())
        return "back: typing"

    def _ask_to_begin(self) -> Generator[Ask, Any, BeginAnswer]:
        """Asked again while the gate is shut: Redis has restarted, and a job given back now would be in doubt."""
        while True:
            told = self._told
            answer: BeginAnswer = yield Begin(self.held, self._noted(), self._untold())
            if isinstance(answer, No) and answer.why == "shutdown":
                self._told = told  # the queue was not asked: the calls are told when the job is given back
            if not (isinstance(answer, No) and answer.why == "gate"):
                return answer
            yield Wait(_GATE_WAIT)

    def _begun(self, answer: BeginAnswer) -> Walk:
        match answer:
            case Stale():
                return "stale"
            case AlreadySent(message_id):
                return (yield from self._was_sent(message_id))
            case No():
                return (yield from self._not_now(answer))
            case Go(wait):
                if wait > 0:
                    yield Wait(wait)
                return (yield from self._message())
            case never:
                assert_never(never)

    def _message(self) -> Walk:
        outcome = self.message = yield from self._call(Step.MESSAGE)
        if isinstance(outcome.verdict, Accepted):
            return (yield from self._accepted(outcome.verdict))
        decided = settlement(outcome.verdict, self.held, self._clock(), self._rules)
        if decided.op == "unsure":
            # No typing_off: the message itself may have ended the bubble, and nothing delays the search for facts.
            return (yield from self._let_go(decided))
        if self._bubble.shows(self._clock()):
            # First the fact that the call was answered: should this worker die now, the job is not unknown.
            told: str = yield Done(self.held, "keep", self._untold())
            if told != "ok":
                return "stale"
        return (yield from self._end(decided))

    def _accepted(self, accepted: Accepted) -> Walk:
        """The message is out. Its id goes to the queue before anything else is done."""
        message_id, recipient_id = accepted.message_id, accepted.recipient_id
        self.message_id = message_id
        if pause_of(self.held.job) is not None:
            told: str = yield Done(self.held, "keep", self._untold(), message_id=message_id, recipient_id=recipient_id)
            if told != "ok":  # the conversation is no longer ours, the fact was taken all the same
                return "sent: late"
            yield from self._call(Step.TYPING_OFF)
        return (yield from self._settle_sent(message_id, recipient_id))

    def _was_sent(self, message_id: str) -> Walk:
        """A fact was faster than we."""
        if self._bubble.shows(self._clock()):
            yield from self._call(Step.TYPING_OFF)
        return (yield from self._settle_sent(message_id, None))

    def _settle_sent(self, message_id: str | None, recipient_id: str | None) -> Walk:
        self.message_id = message_id
        calls = self._untold()
        yield Done(self.held, "settle", calls, state=State.SENT, message_id=message_id, recipient_id=recipient_id)
        yield from self._restrain()
        return "sent"

    def _not_now(self, answer: No) -> Walk:
        """Begin said no: nothing was sent."""
        if answer.why == "pace":
            # The bubble stays: the message follows shortly.
            yield Done(self.held, "back", self._untold(), seconds=answer.seconds, typed_at=self._noted())
            return "back: pace"
        error, final = GraphError(f"{answer.why} before the message call"), _FINAL.get(answer.why)
        return (yield from self._end(Settlement("settle" if final else "back", error, state=final)))

    def _end(self, decided: Settlement) -> Walk:
        """See to the page, take the bubble away where it may still show, then let the conversation go."""
        if decided.page:
            changed: bool = yield decided.page  # first: every other call of this page would lengthen a throttle
            if changed and isinstance(decided.page, PausePage):
                self._tell_an_operator(decided.page)
        if self._bubble.shows(self._clock()):
            yield from self._call(Step.TYPING_OFF)
        if not decided.page:
            yield from self._restrain()
        return (yield from self._let_go(decided))

    def _restrain(self) -> Generator[Ask, Any, None]:
        """Hold or slow the page, or its app, as the usage headers of our calls ask for."""
        for restraint in self._restraints.values():  # noqa: UP028  # answers are sent in, which a plain iterator takes not
            yield restraint

    def _tell_an_operator(self, paused: PausePage) -> None:
        """One line a pause, not one a job: only the refusal that paused the page comes here."""
        log.error(
            "a page is paused until an operator acts; its jobs wait",
            action="page_paused",
            page=paused.page,
            reason=paused.reason,
            token_version=paused.token_version,
            job=self.held.job_id,
        )

    def _let_go(self, decided: Settlement) -> Walk:
        self.error = decided.error
        yield Done(
            self.held,
            decided.op,
            self._untold(),
            state=decided.state,
            error=decided.error,
            seconds=decided.seconds,
            typed_at=self._noted(),
            refusal=decided.refusal,
        )
        return decided.state or decided.op

    def _call(self, step: Step) -> Generator[Ask, Any, Outcome]:
        outcome: Outcome = yield Call(step)
        if outcome.record:
            self.records.append(outcome.record)
        for restraint in outcome.restraints:
            self._restraints[restraint.scope] = stronger(self._restraints.get(restraint.scope), restraint)
        if step is Step.TYPING_OFF:
            self._bubble.put_down()
        return outcome

    def _noted(self) -> float | None:
        """The time that the queue keeps for us: since when typing shows, or, without typing, mark_seen's."""
        return self._bubble.since if pause_of(self.held.job) is not None else self._seen_at

    def _untold(self) -> list[CallRecord]:
        fresh, self._told = self.records[self._told :], len(self.records)
        return fresh
