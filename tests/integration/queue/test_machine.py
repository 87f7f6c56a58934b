"""Random interleavings on a real Redis against a simple model.

``ENVOI_TEST_EXAMPLES`` sets how many runs of each kind are tried, and lets chance choose them; ``ENVOI_TEST_STEPS``
sets how long each is.
"""

from __future__ import annotations

import itertools
import math
import os
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from envoi.errors import InvalidJob, QueueFull, Recovering
from envoi.events import CallRecord, GraphError
from envoi.queue import packs
from envoi.queue.begin import AlreadySent, Begin, Begun, Go, No, Stale
from envoi.queue.claim import Claim, Claimed
from envoi.queue.done import Done
from envoi.queue.keys import conversation_of
from envoi.queue.looks import DueLook
from envoi.queue.page_commands import HoldPage
from envoi.queue.restart import Grip
from envoi.states import State
from tests.integration.queue.hands import Bench, movable_clock
from tests.integration.queue.model import Answer, Call, Graph, Hand, Hold
from tests.integration.queue.snapshot import Snapshot

EXAMPLES = int(os.environ.get("ENVOI_TEST_EXAMPLES", "30"))
IMAGE = {"attachment": {"type": "image", "payload": {"url": "https://example.com/a.png"}}}
STEPS = int(os.environ.get("ENVOI_TEST_STEPS", "60"))
PAGES, PEOPLE, WORKERS = ("1", "2"), ("1", "2"), 3
LEASE, SETTLE, LOSS = 30.0, 90.0, 2.0
NUMBER = st.integers(0, 1000)
SAYINGS: tuple[Answer, ...] = ("accepted", "silence, delivered", "not sent", "silence, lost")
ANSWERS = st.sampled_from(SAYINGS)
# Said of a conversation; with seconds, a hold ends by itself. More often taken back than said: else soon nothing moves.
WORDS = st.sampled_from(
    ["hold", "hold 0.3", "hold 1", "hold 40", *["release"] * 5, "clear", "opt_out", *["opt_in"] * 3],
)


class QueueMachine(RuleBasedStateMachine):
    """Producers, workers, a scheduler and a Redis that restarts."""

    def __init__(self, client: redis.Redis, raw: redis.Redis) -> None:
        super().__init__()
        client.flushall()
        client.script_flush()
        self.raw = raw
        self.queue = Bench(
            client,
            page_pace=100.0, page_cap=2, max_attempts=4, lease=LEASE, loss_bound=LOSS, bells_cap=3,
            graph_latest=SETTLE - 30, graph_latest_media=SETTLE - 30, graph_visible=30.0, settle_longest=5 * SETTLE,
        )  # fmt: skip  # one thought a line
        self.queue.open()
        self.graph = Graph(SETTLE)
        self.jobs: list[str] = []
        self.keys: dict[tuple[str, str, str], str] = {}
        self.paused: set[str] = set()
        self.on_hold: dict[str, float] = {}  # conversation -> until when
        self.opted_out: set[str] = set()  # conversations
        self.spoilt_bells = 0
        self.shut = False
        self.numbers = 0
        self.stale: set[float] = set()
        self.hands = [self._worker() for _ in range(WORKERS)]

    def teardown(self) -> None:
        self._quiesce()

    def _worker(self) -> Hand:
        self.numbers += 1
        hand = Hand(f"worker{self.numbers}", told_run=self.queue.run)
        self.queue.renew(hand.name, [])
        if self.shut:
            self.queue.reassert(hand.name, self.queue.run, [])
        return hand

    def _look_at_lines(self) -> None:
        prefix = self.queue.keys.line("")
        there = {name.removeprefix(prefix) for name in self.queue.db.keys(f"{prefix}*")}
        for conversation in there | set(self.graph.order):
            self.graph.entered(conversation, self.queue.db.lrange(f"{prefix}{conversation}", 0, -1))

    def _all_holds(self) -> list[tuple[Hand, Hold]]:
        return [(hand, hold) for hand in self.hands for hold in hand.holds]

    def _hold(self, number: int) -> tuple[Hand, Hold] | None:
        holds = self._all_holds()
        return holds[number % len(holds)] if holds else None

    @initialize(
        jobs=st.lists(
            st.tuples(st.sampled_from(PAGES), st.sampled_from(PEOPLE), st.booleans()), min_size=3, max_size=10
        )
    )
    def begin_with(self, jobs: list[tuple[str, str, bool]]) -> None:
        for page, person, bulk in jobs:
            self.enqueue(page, person, bulk, None, None, media=person == "2")

    # ---- producers and operators

    @rule(
        page=st.sampled_from(PAGES),
        person=st.sampled_from(PEOPLE),
        bulk=st.booleans(),
        at=st.sampled_from([None, None, 1.0]),
        key=st.sampled_from([None, None, None, "k"]),
        media=st.booleans(),
    )
    def enqueue(self, page: str, person: str, bulk: bool, at: float | None, key: str | None, *, media: bool) -> None:
        options: dict[str, Any] = {"lane": "bulk" if bulk else "replies", "at_in": at, "key": key}
        if media:
            options["text"] = IMAGE
        options["on_outcome"] = "stream:app"
        if key:
            options["text"] = f"for {person}"
            options["key"] = key = f"{key}{person}"
        out = conversation_of(page, "id", person) in self.opted_out
        try:
            job_id = self.queue.put(person, page=page, **options)
        except InvalidJob:
            assert out
            assert (page, person, key) not in self.keys  # a repeat finds the first job all the same
            return
        assert not out or (page, person, key) in self.keys
        if key:
            assert self.keys.setdefault((page, person, key), job_id) == job_id
        if job_id not in self.jobs:
            self.jobs.append(job_id)
        self._look_at_lines()

    @rule(page=st.sampled_from(PAGES), person=st.sampled_from(PEOPLE), evicts=st.booleans())
    def shut_the_door(self, page: str, person: str, evicts: bool) -> None:
        """What comes to a shut door leaves nothing behind."""
        before = self.queue.db.xlen(self.queue.keys.events), sorted(self.queue.db.keys())
        if evicts:
            self.queue.refuse_all()
        else:
            self.queue.refuse_more(60)
        with pytest.raises(QueueFull, match="noeviction" if evicts else "nearly used up"):
            self.queue.put(person, page=page)
        self.queue.admit_more()
        assert (self.queue.db.xlen(self.queue.keys.events), sorted(self.queue.db.keys())) == before

    @precondition(lambda self: self.jobs)
    @rule(number=NUMBER)
    def cancel(self, number: int) -> None:
        job_id = self.jobs[number % len(self.jobs)]
        try:
            answer = self.queue.cancel(job_id)
        except Recovering:
            assert self.shut
            return
        assert not self.shut
        if answer == "cancelled":
            assert not [call for call in self.graph.of(job_id) if not call.not_sent]
            self.graph.cancelled.add(job_id)

    @precondition(lambda self: self.jobs)
    @rule(number=NUMBER, at=st.sampled_from([-1.0, 0.0, 1.0, 20.0]))
    def reschedule(self, number: int, at: float) -> None:
        job_id = self.jobs[number % len(self.jobs)]
        before = self.queue.state(job_id)
        try:
            answer = self.queue.reschedule(job_id, datetime.fromtimestamp(self.queue.now() + at, UTC))
        except Recovering:
            assert self.shut
            return
        assert not self.shut
        assert before not in {"retrying", "settling"} or answer == "too_late"
        if answer in {"scheduled", "queued"}:
            assert not self.graph.of(job_id) or before in {"scheduled", "queued"}
            assert self.queue.state(job_id) == answer
            assert (answer == "scheduled") is (at > 0)
            self.graph.left(job_id)
        elif answer == "pending":
            self.graph.wished.add(job_id)
        self._look_at_lines()

    @rule(page=st.sampled_from(PAGES), what=st.sampled_from(["pause", "resume", "resume", "resume", "hold"]))
    def operate(self, page: str, what: str) -> None:
        if what == "pause":
            self.queue.pause(page, "asked")
            self.paused.add(page)
        elif what == "resume":
            self.queue.resume(page)
            self.paused.discard(page)
        else:
            self.queue.trip([HoldPage(page, 1.0)])

    @rule(page=st.sampled_from(PAGES), person=st.sampled_from(PEOPLE), what=WORDS)
    def say(self, page: str, person: str, what: str) -> None:
        """A word about a conversation as a whole."""
        name, _, seconds = what.partition(" ")
        word = getattr(self, name)
        word(page, person, *([float(seconds)] if seconds else []))

    def hold(self, page: str, person: str, seconds: float | None = None) -> None:
        conversation = conversation_of(page, "id", person)
        until = math.inf if seconds is None else self.queue.now() + seconds
        news = self.queue.hold(conversation, None if seconds is None else until)
        assert not news or self.on_hold.get(conversation, 0.0) <= self.queue.now()
        self.on_hold[conversation] = until

    def release(self, page: str, person: str) -> None:
        conversation = conversation_of(page, "id", person)
        if not self.queue.release(conversation):
            assert self.on_hold.get(conversation, 0.0) <= self.queue.now() + LOSS
        self.on_hold.pop(conversation, None)
        assert self.queue.lined(conversation).hold is None

    def clear(self, page: str, person: str) -> None:
        conversation = conversation_of(page, "id", person)
        lined = self.queue.lined(conversation)
        open_before = [job_id for job_id in self.jobs if not State(self.queue.state(job_id)).final]
        try:
            cleared = self.queue.clear(conversation)
        except Recovering:
            assert self.shut
            return
        assert not self.shut
        gone = {job_id for job_id in open_before if self.queue.state(job_id) == "cancelled"}
        for job_id in gone:
            assert not [call for call in self.graph.of(job_id) if not call.not_sent]
        self.graph.cancelled |= gone
        left = self.queue.lined(conversation)
        assert len(gone) == cleared.cancelled == lined.waiting + lined.scheduled - left.waiting
        assert left.scheduled == 0
        assert left.waiting <= (1 + cleared.doubted if cleared.going_on else 0)
        assert left.head == cleared.going_on

    def opt_out(self, page: str, person: str) -> None:
        conversation = conversation_of(page, "id", person)
        assert self.queue.opt_out(conversation) == (conversation not in self.opted_out)
        self.opted_out.add(conversation)

    def opt_in(self, page: str, person: str) -> None:
        conversation = conversation_of(page, "id", person)
        assert self.queue.opt_in(conversation) == (conversation in self.opted_out)
        self.opted_out.discard(conversation)

    # ---- workers

    @rule(worker=st.integers(0, WORKERS - 1), want=st.integers(1, 3))
    def claim(self, worker: int, want: int) -> None:
        hand = self.hands[worker]
        if hand.told_run != self.queue.run:
            return  # it tells the new run first
        hand.claims += 1
        catch = self.queue.trip([Claim(want, f"{hand.name}:{hand.claims}")])[0]
        assert len(catch.claimed) <= want
        assert not (catch.claimed and self.shut)
        for held in catch.claimed:
            assert held.job["page"] not in self.paused
            self._may_begin(held)
            hand.holds.append(Hold(held, self.queue.now()))

    @rule(number=NUMBER, lost_answer=st.booleans(), late=st.booleans())
    def begin(self, number: int, lost_answer: bool, late: bool = False) -> None:
        if not (found := self._hold(number)) or found[1].marked:
            return
        hand, hold = found
        asked = self.queue.now()
        renew = asked > hold.granted + LEASE / 10  # as an attempt does
        self.numbers += 1
        typing = [CallRecord("typing_on", float(self.numbers), 1.0, "Accepted")] if not hold.typing else []
        begin = Begin(hold.held, None, typing, renew=renew)
        answers = [self.queue.trip([begin])[0] for _ in range(2 if lost_answer else 1)]
        answer = answers[-1]
        if late and isinstance(answer, Go):  # let go, and not started in time for its slot
            answer = self.queue.trip([Begin(hold.held, None, [], late=True, renew=renew)])[0]
        if isinstance(answer, Stale):  # then each asking is noted
            self.stale.add(float(self.numbers))
        else:
            hold.typing += typing
        if isinstance(answer, Go):
            assert not self.shut
            assert hold.held.job["page"] not in self.paused
            self._may_begin(hold.held)
            hold.marked, hold.granted = True, asked if renew else hold.granted
        elif isinstance(answer, AlreadySent):
            self._done(hand, hold, Done(hold.held, "settle", [], state=State.SENT, message_id=answer.message_id))
        elif isinstance(answer, Stale):
            hand.holds.remove(hold)
        elif answer.why != "gate":
            self._refused(hand, hold, answer)

    def _may_begin(self, held: Claimed) -> None:
        """What was held, or has opted out, before this claim or begin."""
        assert self.on_hold.get(held.conversation, 0.0) <= self.queue.now(), f"{held.job_id} is on hold"
        assert held.conversation not in self.opted_out, f"{held.job_id} is for a person who has opted out"

    def _refused(self, hand: Hand, hold: Hold, answer: No) -> None:
        if answer.why == "opted_out":
            self._done(hand, hold, Done(hold.held, "settle", [], state=State.FAILED))
        elif answer.why in {"cancelled", "expired"}:
            self._done(hand, hold, Done(hold.held, "settle", [], state=State(answer.why)))
        else:
            self._done(hand, hold, Done(hold.held, "back", [], seconds=answer.seconds))

    @rule(number=NUMBER, answer=ANSWERS)
    def call(self, number: int, answer: Answer) -> None:
        """A marked call starts, if the worker's own clock still says that it may."""
        if not (found := self._hold(number)) or not found[1].marked or found[1].call:
            return
        hold = found[1]
        if self.queue.now() >= hold.granted + LEASE / 2:
            return
        held = hold.held
        hold.call = Call(held.job_id, held.conversation, held.fence, self.queue.now(), answer)
        self.graph.start(hold.call)

    @rule(number=NUMBER, twice=st.booleans(), keep=st.booleans())
    def answer(self, number: int, twice: bool, keep: bool) -> None:
        """The worker reads the answer, or gives up waiting for it, and says what came of it: perhaps late."""
        if not (found := self._hold(number)) or not found[1].call:
            return
        hand, hold = found
        call, held = hold.call, hold.held
        assert call
        if call.answer == "accepted":
            call.answered = True
            words = [Done(held, "keep", [], message_id="m")] if keep else []
            words.append(Done(held, "settle", [], state=State.SENT, message_id="m"))
        elif call.answer == "not sent":
            call.answered = call.not_sent = True
            words = [Done(held, "keep", [])] if keep else []
            words.append(Done(held, "retry", [], error=GraphError("later"), seconds=number % 3))
        else:
            words = [Done(held, "unsure", [], error=GraphError("silence"), seconds=SETTLE)]
        for word in words * 2 if twice and len(words) == 1 else words:
            self._say(hold, word)
        self._end(hand, hold)

    @rule(number=NUMBER, seconds=st.sampled_from([0.0, 0.0, 1.0]), typed=st.booleans())
    def give_back(self, number: int, seconds: float, typed: bool) -> None:
        """A shutdown, a pause for typing, or a call that its worker's clock forbids: surely not sent."""
        if (found := self._hold(number)) and not found[1].call:
            typed_at = self.queue.now() if typed else None
            self._done(*found, Done(found[1].held, "back", [], seconds=seconds, typed_at=typed_at))

    def _done(self, hand: Hand, hold: Hold, word: Done) -> None:
        self._say(hold, word)
        self._end(hand, hold)

    def _say(self, hold: Hold, word: Done) -> None:
        self.queue.trip([word])
        hold.dones.append(word)
        self._look_at_lines()

    def _end(self, hand: Hand, hold: Hold) -> None:
        hand.holds.remove(hold)
        hold.ended = self.queue.now()
        hand.recent.append(hold)

    @rule(worker=st.integers(0, WORKERS - 1))
    def renew(self, worker: int) -> None:
        hand = self.hands[worker]
        self.queue.renew(hand.name, [(hold.held.conversation, hold.held.fence) for hold in hand.holds])

    @rule(worker=st.integers(0, WORKERS - 1), orderly=st.booleans())
    def end_worker(self, worker: int, orderly: bool) -> None:
        """Killed at whatever it was doing, or stopped with nothing in hand. Another one starts."""
        hand = self.hands[worker]
        if orderly and not hand.holds:
            self.queue.leave(hand.name)
        self.hands[worker] = self._worker()

    @rule(worker=st.integers(0, WORKERS - 1), number=NUMBER, steps=st.integers(1, 4), answer=ANSWERS)
    def work(self, worker: int, number: int, steps: int, answer: Answer) -> None:
        """Several of a worker's steps in a row: most of the time nothing comes between them."""
        hand = self.hands[worker]
        if not hand.holds:
            self.claim(worker, 1 + number % 3)
        mine = hand.holds[number % len(hand.holds)] if hand.holds else None
        for step in (self.begin, self.call, self.answer)[: steps - 1]:
            if mine not in hand.holds:
                return
            which = next(n for n, (_, hold) in enumerate(self._all_holds()) if hold is mine)
            extra = {self.begin: (False,), self.call: (answer,), self.answer: (False, bool(number % 2))}[step]
            step(which, *extra)

    @rule(worker=st.integers(0, WORKERS - 1), number=NUMBER, answer=ANSWERS)
    def work_on(self, worker: int, number: int, answer: Answer) -> None:
        """All of an attempt in one go."""
        self.work(worker, number, 4, answer)

    @rule(
        worker=st.integers(0, WORKERS - 1),
        number=NUMBER,
        when=st.sampled_from([0, 0, 1, 2, 3]),
        what=st.sampled_from(["hold", "hold 1", "clear", "opt_out"]),
        answer=ANSWERS,
    )
    def meddle(self, worker: int, number: int, when: int, what: str, answer: Answer) -> None:
        """An attempt in one go, and at one moment of it somebody has a word about its conversation."""
        hand = self.hands[worker]
        if not hand.holds:
            self.queue.sleep(0.1)  # the page's pace
            self.claim(worker, 1)
        if not hand.holds:
            return
        mine = hand.holds[number % len(hand.holds)]
        page, _, person = mine.held.conversation.split("/")
        for moment in range(4):
            if moment == when:
                self.say(page, person, what)
            if mine not in hand.holds:
                return
            which = next(n for n, (_, hold) in enumerate(self._all_holds()) if hold is mine)
            if moment == 0:
                self.begin(which, False)
            elif moment == 1:
                self.call(which, answer)
            elif moment == 2:
                self.answer(which, False, bool(number % 2))

    # ---- facts

    @precondition(lambda self: self.graph.calls)
    @rule(number=NUMBER, times=st.integers(1, 2))
    def fact(self, number: int, times: int) -> None:
        """An echo, or a look that was complete and late enough."""
        call = self.graph.calls[number % len(self.graph.calls)]
        for _ in range(times):
            if call.delivered:
                self.queue.prove_sent(call.job_id, "m")
                call.over = True
            elif call.not_sent or self.queue.now() >= call.started + SETTLE:
                answer = self.queue.prove_not_sent(call.job_id, call.fence)
                call.not_sent = call.not_sent or answer in {"retrying", "failed", "cancelled"}

    @precondition(lambda self: not self.shut)
    @rule(want=st.integers(1, 4), visible=st.booleans(), told=st.integers(0, 2))
    def look(self, want: int, visible: bool, told: int) -> None:
        """A settler looks, sees what Graph shows, and says so once, twice, or dies before."""
        for look in self.queue.due_looks(want).looks:
            self._check_look(look)
            calls = self.graph.of(look.job_id)
            delivered = [call for call in calls if call.delivered]
            for _ in range(told):
                if delivered and (visible or look.absence_counts):
                    self.queue.prove_sent(look.job_id, "m")
                    delivered[0].over = True
                elif look.absence_counts and visible:
                    if self.queue.prove_not_sent(look.job_id, look.mark) in {"retrying", "failed", "cancelled"}:
                        for call in calls:
                            call.not_sent = True
                elif look.last:
                    self.queue.look_proved_nothing(look)
        if not told:
            self._settler_is_gone()

    def _settler_is_gone(self) -> None:
        """For so long that nobody counts on it any more."""
        self.queue.db.delete(f"{self.queue.keys.base}settler")

    def _check_look(self, look: DueLook) -> None:
        """What is in doubt is looked for far enough back, and called absent only when nothing can be on its way."""
        for call in self.graph.of(look.job_id):
            if not call.not_sent:
                assert look.begun <= call.started, f"{look} begins after {call}"
                over = call.answered or self.queue.now() >= call.started + self.graph.longest
                assert over or not look.absence_counts, f"{look} counts while {call} may be on its way"

    # ---- time, bells, the scheduler

    @rule(seconds=st.sampled_from([0.1, 0.1, 1.0, 3.0, LEASE / 2, LEASE + 1, SETTLE + 1]))
    def sleep(self, seconds: float) -> None:
        if seconds > LOSS:
            self.queue.sleep(seconds)

    @rule(limit=st.integers(1, 5))
    def tick(self, limit: int) -> None:
        due = set(self.queue.db.zrangebyscore(f"{self.queue.keys.base}at", "-inf", self.queue.now()))
        moved = self.queue.tick(limit)
        assert moved.entered >= min(limit, len(due)) * (not self.shut)
        assert moved.gate_shut == self.shut
        assert max(moved.entered, moved.due, moved.lost) <= limit
        self._look_at_lines()

    @rule(lose=st.booleans())
    def spoil_bells(self, lose: bool) -> None:
        if lose:
            self.queue.db.delete(self.queue.keys.bells)
            self.spoilt_bells = 0
        else:
            self.queue.db.lpush(self.queue.keys.bells, "twice")
            self.spoilt_bells += 1

    # ---- restarts of Redis

    @precondition(lambda self: not self.shut)
    @rule()
    def restart(self) -> None:
        """With everything on disk."""
        self.queue.restart()
        self.shut = True

    @precondition(lambda self: not self.shut)
    @rule(
        moments=st.lists(NUMBER, min_size=3, max_size=12),
        dead=st.sets(st.integers(0, WORKERS - 1), max_size=WORKERS),
        opens=st.booleans(),
        ends=st.booleans(),
    )
    def lose(self, moments: list[int], dead: set[int], opens: bool, ends: bool) -> None:
        """A restart that loses the last moments, in which workers and scheduler worked, and some workers with it.

        What producers did in such moments is lost too, and who was held then; that is stated, not tested here. So is a
        worker that has been registered for no longer than the loss bound.
        """
        for hand in self.hands:
            self.queue.renew(hand.name, [])
        if ends and self.on_hold:  # a hold ends by itself in these moments
            page, _, person = list(self.on_hold)[len(moments) % len(self.on_hold)].split("/")
            self.hold(page, person, LOSS / 20)
        disk = Snapshot(self.queue, self.raw)
        disk.take()
        on_hold = dict(self.on_hold)
        for moment in moments:
            what, number = moment % 6, moment // 6
            if what == 0:
                self.queue.sleep(LOSS / 12)
                self.tick(5)
            elif what == 1 and self.graph.calls:
                self.fact(number, 1)
            elif what == 2 and self.on_hold:  # in these moments a release is lost, a hold would be
                page, _, person = list(self.on_hold)[number % len(self.on_hold)].split("/")
                self.release(page, person)
            else:
                self.work(number % WORKERS, number // 2, (4, 3, 4, 2, 4, 1)[number % 6], SAYINGS[number % 7 % 4])
        disk.bring_back()
        self.on_hold = on_hold
        self.spoilt_bells = 1000  # as many as there were then
        self.restart()
        for worker in sorted(dead):
            self.hands[worker] = self._worker()
        for worker in {0: (0, 1, 2), 1: (2, 1, 0)}[len(moments) % 2]:
            self.come_back(worker)
        if opens:
            self.open()

    @rule(worker=st.integers(0, WORKERS - 1))
    def come_back(self, worker: int) -> None:
        """A worker has seen the other run: it tells what it holds and what it has just said. Perhaps too late."""
        hand, now = self.hands[worker], self.queue.now()
        if hand.told_run == self.queue.run:
            return
        recent = [hold for hold in hand.recent if hold.ended is not None and self.queue.since - hold.ended <= LOSS + 1]
        for hold in [*recent, *hand.holds]:
            # What has ended is restored by its own words; reasserted before, it must come to the same.
            said_only = bool(hold.dones) and hand.claims % 2 == 0
            if self.queue.since - hold.granted <= LEASE and not said_only:
                self.queue.reassert(hand.name, self.queue.run, [Grip.of(hold.held, marked=hold.marked)], back=False)
            if hold.typing:
                self.queue.trip([Begun(hold.held, hold.typing)])
            for word in hold.dones:
                self.queue.trip([word])
        self.queue.check_in(hand.name, self.queue.run)
        hand.told_run = self.queue.run
        assert now <= self.queue.now()

    @precondition(lambda self: self.shut)
    @rule()
    def open(self) -> None:
        away = set(self.queue.workers()) - self.queue.back(self.queue.run)
        if away:
            self.queue.sleep(max(0.0, self.queue.since + LEASE + 0.1 - self.queue.now()))
            self.queue.look_over()
            self._look_at_lines()
        self.queue.open()
        self.shut = False

    # ---- what always holds

    @invariant()
    def busy_is_what_is_held(self) -> None:
        queue, base = self.queue, self.queue.keys.base
        names = queue.db.keys(queue.keys.conversation("*"))
        with queue.db.pipeline(transaction=False) as pipe:
            pipe.zrange(f"{base}lease", 0, -1)
            pipe.zrange(f"{base}due", 0, -1)
            for page in PAGES:
                pipe.hget(queue.keys.page(page), "busy")
            for name in names:
                pipe.hget(name, "pl")
            leased, due, *rest = pipe.execute()
        places = dict(zip((name.removeprefix(queue.keys.conversation("")) for name in names), rest[2:], strict=True))
        assert {name for name, place in places.items() if place == "h"} == set(leased)
        assert {name for name, place in places.items() if place in {"d", "s"}} == set(due)
        for page, busy in zip(PAGES, rest, strict=False):
            assert int(busy or 0) == len([name for name in leased if name.startswith(f"{page}/")]) <= 2

    @invariant()
    def who_waits_is_in_the_list_of_his_class(self) -> None:
        """And who is in front of a list can be found by a claim: his queue is offered, unless his page may not send."""
        queue, base = self.queue, self.queue.keys.base
        for name in queue.db.keys(queue.keys.conversation("*")):
            conversation = name.removeprefix(queue.keys.conversation(""))
            place, lane, media, page, since = queue.db.hmget(name, "pl", "ln", "cs", "pg", "wt")
            head = queue.db.lindex(queue.keys.line(conversation), 0)
            text = queue.db.get(queue.keys.job(head)) or ""
            assert bool(media) is ("m=1" in text.partition("\n")[0]) or "~" in head or not text
            if place != "w":
                continue
            waits_in = f"{page}/{media}" if media else page
            assert queue.db.lrange(f"{base}w:{waits_in}:{lane}", 0, -1).count(f"{conversation} {since}") == 1
            paused, busy = queue.db.hmget(queue.keys.page(page), "paused", "busy")
            assert paused or int(busy or 0) >= 2 or queue.db.zscore(f"{base}pages:{lane}", waits_in) is not None

    @invariant()
    def bells_are_bound(self) -> None:
        assert self.queue.bells() <= 3 + self.spoilt_bells

    # ---- the end

    def _quiesce(self) -> None:
        """All workers die; a last one sends what is left. Then every job has its outcome, and the right one."""
        if self.shut:
            self.open()
        self._settler_is_gone()
        for page in PAGES:
            self.queue.resume(page)
            for person in PEOPLE:
                self.release(page, person)
        last = Hand("last", told_run=self.queue.run)
        for _ in range(400):
            self._look_at_lines()
            if not self.queue.db.keys(self.queue.keys.line("*")) and not self.queue.db.zcard(
                f"{self.queue.keys.base}at"
            ):
                break
            self._send_all(last)
            self.queue.sleep(LEASE + 1)
            self.queue.tick(100)
        else:
            raise AssertionError("something is forgotten: " + str(self.queue.db.keys(self.queue.keys.line("*"))))
        told = self.queue.outcomes("app")
        typing = Counter(record.started_at for event in self.queue.events() for record in event.calls)
        assert all(count == 1 or number in self.stale for number, count in typing.items()), "a call is logged twice"
        for job_id in self.jobs:
            self._right(job_id)
            # The app is told of each outcome, and of its correction, as often as the log is.
            states = [state for state in self.queue.states(job_id) if State(state).final]
            assert [outcome.state for outcome in told if outcome.job_id == job_id] == states

    def _send_all(self, last: Hand) -> None:
        last.claims += 1
        for held in self.queue.trip([Claim(10, f"last:{last.claims}")])[0].claimed:
            answer = self.queue.trip([Begin(held, None, [])])[0]
            if isinstance(answer, Go):
                call = Call(held.job_id, held.conversation, held.fence, self.queue.now(), "accepted", answered=True)
                self.graph.start(call)
                assert self.queue.sent(held) == "ok"
            elif isinstance(answer, AlreadySent):
                self.queue.sent(held, answer.message_id)
            elif answer.why in {"cancelled", "expired"}:  # no opt-out comes between claim and begin here
                self.queue.done(held, "settle", state=State(answer.why))
            else:
                self.queue.done(held, "back", seconds=answer.seconds)

    def _right(self, job_id: str) -> None:
        state = self.queue.state(job_id)
        delivered = [call for call in self.graph.of(job_id) if call.delivered]
        assert State(state).final, f"{job_id} is {state}"
        assert len(delivered) <= 1
        assert not delivered or state in {"sent", "unknown"}, f"{job_id} was delivered and is {state}"
        assert delivered or state != "sent", f"{job_id} is sent and was not delivered"
        assert self.queue.states(job_id)[-1] == state


def _without(*rules: str) -> type[QueueMachine]:
    """The same machine, in which some rules are plain methods: called by other rules, and never picked."""
    plain = {name: getattr(QueueMachine, name).hypothesis_stateful_rule.function for name in rules}
    return type("Machine", (QueueMachine,), plain)


HOLDS = ("say", "meddle")
BETWEEN = (
    "enqueue",
    "cancel",
    "reschedule",
    "operate",
    "begin",
    "call",
    "give_back",
    "renew",
    "fact",
    "spoil_bells",
    "restart",
)
RESTARTS = ("restart", "lose", "open", "come_back")
# Each looks at one thing more closely: of many rules, few of the kind wanted come together.
KINDS: dict[str, tuple[type[QueueMachine], int, int]] = {
    "one run of Redis": (_without(*RESTARTS, *HOLDS), 1, 1),
    "restarts of Redis": (_without(*HOLDS), 1, 1),
    "lost moments": (_without(*BETWEEN, *HOLDS), 2, 5),
    "holds": (_without(*RESTARTS, "operate", "spoil_bells", "renew", "end_worker", "look", "call", "answer"), 1, 1),
    "holds and restarts of Redis": (QueueMachine, 1, 1),
    "holds and lost moments": (_without(*BETWEEN, "meddle"), 2, 4),
}


@pytest.mark.parametrize("kind", KINDS)
def test_any_interleaving_keeps_every_promise(redis_client: redis.Redis, redis_url: str, kind: str) -> None:
    machine, more, shorter = KINDS[kind]
    alone = itertools.cycle([1, 2])
    with movable_clock(), redis.Redis.from_url(redis_url) as raw, pytest.MonkeyPatch.context() as patch:

        def make() -> QueueMachine:
            # Every other queue does each begin, done and claim as part of a pack, the others by their own scripts.
            patch.setattr(packs, "_LEAST", next(alone))
            return machine(redis_client, raw)

        made: Any = make  # typed as a class, yet any callable will do
        run_state_machine_as_test(
            made,
            settings=settings(
                max_examples=EXAMPLES * more,
                stateful_step_count=STEPS // shorter,
                deadline=None,
                database=None,
                derandomize="ENVOI_TEST_EXAMPLES" not in os.environ,
                suppress_health_check=list(HealthCheck),
            ),
        )
