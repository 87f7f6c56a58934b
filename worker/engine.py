"""The engine: runs many attempts at once in one process and shares its trips to Redis among them.

One thread turns it. Calls are made by a pool of threads, a call a thread; what they bring is put in the inbox. Each
turn takes all that has come, resumes the attempts, and sends all they ask of the queue in one trip.

A bell wakes the engine; it works until nothing can be claimed. Attempts outlive the bell that woke it, so one slow
call never stops the others.
"""

from __future__ import annotations

import heapq
import itertools
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

import structlog

from envoi.errors import EnvoiError
from envoi.queue.commands import Begin, Catch, Claim, Claimed, Command, Go, No
from envoi.queue.queue import Queue
from worker.delivery import Call, Delivery, Wait, Walk
from worker.graph import Graph, Outcome

_POLL = 0.05  # seconds between claims while something is in flight and nothing was left to claim
_LINGER = 1.0  # seconds: the engine stays awake for a page whose pace lets it go on this soon
_REDIS_PAUSE = 0.5  # seconds between trips while Redis does not answer

log = structlog.get_logger()


@dataclass(slots=True)
class Running:
    """An attempt on its way.

    Attributes:
        right_ends: monotonic seconds until which our lease lets a message call start.
    """

    delivery: Delivery
    walk: Walk
    started: float
    right_ends: float = 0.0


@dataclass(slots=True)
class _Wish:
    """A command that waits for the next trip, and whose answer it is."""

    command: Command
    running: Running | None
    asked: float = field(default_factory=time.monotonic)


class Engine:
    """Turns attempts, up to ``settings.concurrency`` at once.

    Args:
        queue: where jobs come from and outcomes go.
        graph: makes the calls.
        on_end: told of each ended attempt and what became of it.
    """

    def __init__(self, queue: Queue, graph: Graph, on_end: Callable[[Delivery, str, float], None]) -> None:
        self._queue = queue
        self._graph = graph
        self._on_end = on_end
        self._room = queue.settings.concurrency
        self._hands = ThreadPoolExecutor(self._room, thread_name_prefix="envoi-call")
        self._inbox: SimpleQueue[tuple[Running, Any] | None] = SimpleQueue()  # None only wakes
        self._timers: list[tuple[float, int, Running]] = []
        self._wishes: list[_Wish] = []
        self._running: dict[str, Running] = {}  # by fence
        self._nonce = f"{os.getpid():x}{os.urandom(6).hex()}"  # no fence of ours is ever anyone else's
        self._numbers = itertools.count(1)
        self._claim_at = 0.0
        self._awake = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """There may be work: claim at once."""
        self._idle.clear()
        self._awake.set()
        self._inbox.put(None)

    def wait_idle(self, seconds: float) -> bool:
        """Wait until nothing is in flight and nothing can be claimed, or the time is up. Returns whether idle."""
        return self._idle.wait(seconds)

    def start(self) -> None:
        """Start turning, in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="envoi-engine", daemon=True)
        self._thread.start()

    def stop(self, seconds: float) -> list[str]:
        """Claim nothing more, give back what has not begun, and finish the calls in flight.

        Returns:
            The ids of jobs whose calls did not end in time: their leases run out, and they settle as unknown.
        """
        self._stopping.set()
        self._inbox.put(None)
        if self._thread:
            self._thread.join(seconds)
        self._hands.shutdown(wait=False, cancel_futures=True)
        return [running.delivery.held.job_id for running in self._running.values()]

    def held(self) -> list[tuple[str, str]]:
        """Conversation and fence of every attempt on its way, for the renewal of their leases."""
        return [(r.delivery.held.conversation, r.delivery.held.fence) for r in list(self._running.values())]

    # ---- turning

    def _run(self) -> None:
        while not (self._stopping.is_set() and not self._running):
            try:
                self._turn()
            except EnvoiError as error:  # Redis does not answer: what was asked is asked again
                log.warning("the queue does not answer", action="trip", error=str(error))
                self._stopping.wait(_REDIS_PAUSE)
        self._idle.set()

    def _turn(self) -> None:
        self._collect(self._patience())
        self._plan_claim()
        if self._wishes:
            self._trip()
        elif not self._running and not self._stopping.is_set() and not self._awake.is_set():
            self._idle.set()

    def _patience(self) -> float:
        """Seconds that this turn may wait for news."""
        if self._wishes:
            return 0.0
        now = time.monotonic()
        ends = [now + 1.0]
        if self._timers:
            ends.append(self._timers[0][0])
        if self._wants_work():
            ends.append(self._claim_at)
        return max(0.0, min(ends) - now)

    def _collect(self, seconds: float) -> None:
        """Take all that has come and resume the attempts it is for."""
        try:
            news = self._inbox.get(timeout=seconds) if seconds > 0 else self._inbox.get_nowait()
            while True:
                if news is None:
                    self._claim_at = 0.0
                else:
                    self._resume(*news)
                news = self._inbox.get_nowait()
        except Empty:
            pass
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            self._resume(heapq.heappop(self._timers)[2], None)

    def _resume(self, running: Running, value: object) -> None:
        """Let an attempt go on with the answer it waited for, up to its next question."""
        try:
            ask = running.walk.send(value)
        except StopIteration as end:
            del self._running[running.delivery.held.fence]
            self._claim_at = 0.0  # its conversation may have a next job, and there is room again
            self._on_end(running.delivery, end.value, time.monotonic() - running.started)
            return
        match ask:
            case Call():
                self._hands.submit(self._make_call, running, ask)
            case Wait(seconds):
                heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._numbers), running))
            case Begin() if self._stopping.is_set():
                self._inbox.put((running, No("shutdown")))  # nothing has begun: it is given back
            case _:
                self._wishes.append(_Wish(ask, running))

    def _make_call(self, running: Running, call: Call) -> None:
        """In a thread of the pool."""
        held = running.delivery.held
        outcome: Outcome = self._graph.call(
            call.step, held.job, held.token_version, lambda: time.monotonic() < running.right_ends
        )
        self._inbox.put((running, outcome))

    # ---- the queue

    def _wants_work(self) -> bool:
        return self._awake.is_set() and not self._stopping.is_set() and len(self._running) < self._room

    def _plan_claim(self) -> None:
        if self._wants_work() and time.monotonic() >= self._claim_at:
            want = self._room - len(self._running)
            self._wishes.append(_Wish(Claim(want, f"{self._nonce}:{next(self._numbers):x}"), None))

    def _trip(self) -> None:
        """Send all wishes at once. If Redis does not answer they stay: each may be asked twice without harm."""
        claims = [wish for wish in self._wishes if isinstance(wish.command, Claim)]
        try:
            answers = self._queue.trip([wish.command for wish in self._wishes])
        except EnvoiError:
            for wish in claims:  # nobody waits for a claim; the next turn makes a new one
                self._wishes.remove(wish)
            raise
        wishes, self._wishes = self._wishes, []
        for wish, answer in zip(wishes, answers, strict=True):
            if wish.running is None:
                self._caught(answer, wish.asked)
            else:
                if isinstance(answer, Go):
                    wish.running.right_ends = self._right_ends(wish.asked)
                self._resume(wish.running, answer)

    def _caught(self, catch: Catch, asked: float) -> None:
        for held in catch.claimed:
            self._start(held, asked)
        if catch.gate_closed or (not catch.claimed and not self._running and (catch.next_in or _LINGER) >= _LINGER):
            self._awake.clear()  # the next bell, or the scheduler's, wakes us
        elif not catch.claimed:
            soon = _POLL if catch.next_in is None else min(_POLL, max(0.001, catch.next_in))
            self._claim_at = time.monotonic() + soon

    def _start(self, held: Claimed, asked: float) -> None:
        delivery = Delivery(held, self._queue.settings)
        running = Running(delivery, delivery.walk(), time.monotonic(), self._right_ends(asked))
        self._running[held.fence] = running
        self._resume(running, None)

    def _right_ends(self, asked: float) -> float:
        """When our right to start a call ends: well before Redis lets the lease run out."""
        return asked + self._queue.settings.lease * 2 / 3
