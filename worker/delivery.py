"""One attempt of a job: a walk through its steps, written as a generator that asks for what it needs.

It does no I/O itself: it yields calls, commands to the queue and waits, and is resumed with their answers. So the
engine can share one trip to Redis among many attempts, and a test can play any answer at any step.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Any, assert_never

import structlog

from envoi.events import CallRecord, GraphError
from envoi.queue.begin import AlreadySent, Begin, BeginAnswer, Go, No, Stale
from envoi.queue.claim import Claimed
from envoi.queue.done import Done
from envoi.queue.glances import LookIn
from envoi.queue.page_commands import PausePage
from envoi.settings import Settings
from envoi.states import State
from worker.asks import Ask, Call, Tell, Wait, Walk
from worker.attachments import Attachments
from worker.bubble import BLINK, Bubble, pause_of
from worker.calls import Calls
from worker.evidence import Found
from worker.graph import Outcome
from worker.precaution import Precaution
from worker.private_reply import PrivateReply
from worker.settlement import Settlement, not_begun, settlement
from worker.slot import SlotClock
from worker.steps import Step, is_media
from worker.verdicts import Accepted, Unknown

log = structlog.get_logger()

_GATE_WAIT = 0.2  # seconds between two questions at the gate
_TURN = 0.001  # seconds: a message need not wait so little for its slot, less than a turn of the engine takes
_FRESH = 0.1  # of a lease: so long after the claim it need not be renewed for the message call

_TYPING, _PACE, _FETCHING, _LOOK = "back: typing", "back: pace", "back: fetching", "back: look"
_LATE_CLAIM = "back: late"
_SHORTLY = frozenset({_TYPING, _PACE})  # the job goes on in a moment


class Delivery:
    """One attempt. :meth:`walk` is the way; the attributes say how it went, for the log.

    Attributes:
        message: what the message call came to, if one was made.
        message_id: of the message, once accepted.
        error: why the attempt came to anything else.
        look: what the look before the message call brought, if one was made.
    """

    def __init__(self, held: Claimed, rules: Settings, clock: Callable[[], float] = time.time) -> None:
        self.held = held
        self.message: Outcome | None = None
        self.message_id: str | None = None
        self.error: GraphError | None = None
        self.look: str | None = None
        self._rules = rules
        self._clock = clock
        self._calls = Calls()
        self._slots = SlotClock(held.claimed_at, rules.pace_margin, clock)
        # Where the call budget has no room for courtesies there are none.
        self._typing = pause = None if held.lean else pause_of(held.job)
        # The person has waited before: only the first attempt pauses for typing.
        self._bubble = Bubble(0.0 if pause and held.attempt > 1 else pause, held.typed_at)
        self._attachments = Attachments(held, reuse=rules.reuse_attachments)
        self._reply = PrivateReply(held)
        self._seen_at: float | None = None if pause is not None else held.typed_at

    @property
    def records(self) -> list[CallRecord]:
        """Every call of this attempt so far, in order."""
        return self._calls.records.copy()

    def walk(self) -> Walk:
        """The steps in their order. Returns what became of the attempt, for the log."""
        came_to = yield from self._steps()
        if came_to not in _SHORTLY:
            yield from self._attachments.free()
        return came_to

    def give_back(self) -> Walk:
        """In place of :meth:`walk`, of a claim whose answer came too late for any call to start: it is claimed anew.

        Otherwise the message, whose begin grants a new right, would go without its bubble.
        """
        yield Done(self.held, "back", [], typed_at=self._noted())
        return _LATE_CLAIM

    def _steps(self) -> Walk:
        if self.held.message_id:  # a fact came while the job waited
            return (yield from self._was_sent(self.held.message_id))
        refusal = self.held.refusal
        if refusal and refusal.stops(self.held.job):
            return (yield from self._let_go(Settlement("settle", refusal.told(), state=State.FAILED)))
        wait = yield from self._attachments.find()
        if wait > 0:
            yield Done(self.held, "back", [], seconds=wait, typed_at=self._noted())
            return _FETCHING
        if self.held.look_from is not None:
            return (yield from self._after_a_look(self.held.look_from))
        return (yield from self._from_courtesies())

    def _after_a_look(self, begun: float) -> Walk:
        look = Precaution(self.held, self._rules)
        found = yield from look.look(begun)
        self.look = look.told
        if isinstance(found, Found):
            return (yield from self._was_sent(found.message_id))
        if isinstance(found, LookIn):
            yield Done(self.held, "back", [], seconds=found.seconds, typed_at=self._noted())
            return _LOOK
        return (yield from self._from_courtesies())

    def _from_courtesies(self) -> Walk:
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
        if job["mark_seen"] and first and not self.held.lean and "id" in job["recipient"]:
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
        yield Done(self.held, "back", self.records, seconds=rest, typed_at=self._noted())
        return _TYPING

    def _ask_to_begin(self, *, late: bool = False) -> Generator[Ask, Any, BeginAnswer]:
        """Asked again while the gate is shut: Redis has restarted, and a job given back now would be in doubt."""
        wait = self._rules.settle_wait_of(media=is_media(self.held.job))
        while True:
            renew = self._slots.held_for > self._rules.lease * _FRESH
            answer: BeginAnswer = yield Begin(
                self.held, self._noted(), self.records, settle_wait=wait, late=late, renew=renew
            )
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
            case Go(wait, slot):
                if wait > _TURN:
                    yield Wait(wait)
                return (yield from self._message(slot))
            case never:
                assert_never(never)

    def _message(self, slot: float | None) -> Walk:
        yield from self._reply.call()
        outcome = self.message = yield from self._call(Step.MESSAGE, self._slots.start_by(slot))
        if outcome.record is None and self._slots.came_late(slot):
            self._slots.forgive()  # once
            return (yield from self._begun((yield from self._ask_to_begin(late=True))))
        if isinstance(outcome.verdict, Accepted):
            return (yield from self._accepted(outcome.verdict))
        known = yield from self._reply.answered(outcome.verdict)
        if known:
            decided = known
        elif self._attachments.expired(outcome.verdict):
            # Told before it is given back, so that its next attempt does not meet the same attachment id.
            yield from self._attachments.forget()
            decided = Settlement("back", outcome.verdict.error)
        else:
            decided = settlement(outcome.verdict, self.held, self._slots.now(), self._rules)
        if decided.op == "unsure":
            # No typing_off: the message itself may have ended the bubble, and nothing delays the search for facts.
            return (yield from self._let_go(decided))
        if self._bubble.shows(self._clock()):
            # First the fact that the call was answered: should this worker die now, the job is not unknown.
            told: str = yield Done(self.held, "keep", self.records, answered=decided.answered)
            if told != "ok":
                return "stale"
        return (yield from self._end(decided))

    def _accepted(self, accepted: Accepted) -> Walk:
        """The message is out. Its id is told to the queue before all that is asked of it later."""
        message_id, recipient_id = accepted.message_id, accepted.recipient_id
        self.message_id = message_id
        if self._typing is not None:
            # Nothing to wait for: the end of the bubble does no harm, even if the conversation is no longer ours.
            yield Tell(Done(self.held, "keep", self.records, message_id=message_id, recipient_id=recipient_id))
            yield from self._attachments.accepted(accepted)  # others wait for it
            yield from self._call(Step.TYPING_OFF)
        ended = yield from self._settle_sent(message_id, recipient_id)
        yield from self._attachments.accepted(accepted)
        return ended

    def _was_sent(self, message_id: str) -> Walk:
        """A fact was faster than we."""
        if self._bubble.shows(self._clock()):
            yield from self._call(Step.TYPING_OFF)
        return (yield from self._settle_sent(message_id, None))

    def _settle_sent(self, message_id: str | None, recipient_id: str | None) -> Walk:
        self.message_id = message_id
        told: str = yield Done(
            self.held, "settle", self.records, state=State.SENT, message_id=message_id, recipient_id=recipient_id
        )
        yield from self._restrain()
        return "sent" if told == "ok" else "sent: late"  # then the conversation was ours no longer; the fact was taken

    def _not_now(self, answer: No) -> Walk:
        """Begin said no: nothing was sent."""
        if answer.why == "pace":
            # The bubble stays: the message follows shortly.
            yield Done(self.held, "back", self.records, seconds=answer.seconds, typed_at=self._noted())
            return _PACE
        return (yield from self._end(not_begun(answer)))

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
        for restraint in self._calls.restraints():  # noqa: UP028  # answers are sent in, which a plain iterator takes not
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
            self.records,
            state=decided.state,
            error=decided.error,
            seconds=decided.seconds,
            typed_at=self._noted(),
            refusal=decided.refusal,
            answered=decided.answered,
        )
        return decided.state or decided.op

    def _call(self, step: Step, by: float | None = None) -> Generator[Ask, Any, Outcome]:
        outcome: Outcome = yield Call(step, self._attachments.job, by)
        self._calls.came_to(outcome)
        if step is Step.TYPING_OFF:
            self._bubble.put_down()
        return outcome

    def _noted(self) -> float | None:
        """The time that the queue keeps for us: since when typing shows, or, without typing, mark_seen's."""
        return self._bubble.since if self._typing is not None else self._seen_at
