"""The engine: runs many attempts at once in one process and shares its trips to Redis among them.

One thread turns it. Calls are made by other threads, a call a thread; what they bring is put in the inbox. Each turn
takes all that has come, resumes the attempts, and sends all they ask of the queue in one trip.

A bell wakes the engine; it works until nothing can be claimed. Attempts outlive the bell that woke it, so one slow
call never stops the others.
"""

from __future__ import annotations

import heapq
import itertools
import math
import threading
import time
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from typing import Any

import structlog

from envoi.errors import EnvoiError
from envoi.queue.commands import Begin, Catch, Claim, Claimed, Done, Go, No
from envoi.queue.queue import Queue
from worker.delivery import Call, Delivery, Wait
from worker.graph import Graph
from worker.hands import Hands
from worker.recall import Recall, Told
from worker.running import Running, Watcher, Watchers, Wish
from worker.trip import ask

RIGHT = 0.5  # of a lease: so long after the trip that granted it may a call start; the rest covers a freeze
_POLL = 0.05  # seconds between claims while something is in flight and nothing was left to claim
_LINGER = 1.0  # seconds: the engine stays awake for a page whose pace lets it go on this soon
_REDIS_PAUSE = 0.2  # seconds between trips while Redis does not answer
_MARGIN = 3.0  # seconds kept in recall beyond what Redis may lose

log = structlog.get_logger()


class Engine:
    """Turns attempts, up to ``settings.concurrency`` at once.

    Args:
        queue: where jobs come from and outcomes go.
        graph: makes the calls.
        name: unique to this process's life: no fence of ours is ever anyone else's.
        watchers: told of every attempt.

    Attributes:
        turned_at: the proof of progress, monotonic seconds: leases are renewed only while it moves on.
        attention: set when Redis fails or its gate is shut: it may have restarted.
    """

    def __init__(self, queue: Queue, graph: Graph, name: str, watchers: Sequence[Watcher] = ()) -> None:
        self.name = name
        self.turned_at = time.monotonic()
        self.attention = threading.Event()
        self._queue = queue
        self._graph = graph
        self._watchers = Watchers(watchers)
        self._room = queue.settings.concurrency
        self._hands = Hands(self._room)
        self._inbox: SimpleQueue[tuple[Running, Any] | str | None] = SimpleQueue()
        self._timers: list[tuple[float, int, Running]] = []
        self._wishes: list[Wish] = []
        self._running: dict[str, Running] = {}  # by fence
        self._recall = Recall(queue.settings.loss_bound + _MARGIN)
        self._restarted: str | None = None  # the run id of a Redis that has not been told yet what it may have lost
        self._numbers = itertools.count(1)
        self._claim_at = math.inf  # monotonic seconds, as all times here
        self._first_claim = math.inf
        self._awake = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        self._stopping = threading.Event()
        self._ended = False
        self._ending = threading.Lock()  # a late wake must not leave somebody waiting for an engine that has ended
        self._thread = threading.Thread(target=self._run, name="envoi-engine", daemon=True)

    # ---- what other threads may call

    def start(self) -> None:
        """Start turning, in a thread of its own. Nothing is claimed before :meth:`registered`."""
        self._thread.start()

    def registered(self) -> None:
        """The queue's register of workers has this process (again).

        Nothing is claimed before Redis can no longer lose that: a Redis that lost both would open its gate without
        waiting for us, and a message that is out would be sent again.
        """
        self._first_claim = time.monotonic() + self._queue.settings.loss_bound
        self._inbox.put(None)

    def wake(self) -> None:
        """There may be work: claim at once."""
        with self._ending:
            if self._ended or self._stopping.is_set():
                return
            self._idle.clear()
        self._awake.set()
        self._inbox.put(None)

    def wait_idle(self, seconds: float) -> bool:
        """Wait until nothing is in flight and nothing can be claimed, or the time is up. Returns whether idle."""
        return self._idle.wait(seconds)

    def redis_restarted(self, run_id: str) -> None:
        """Another run of Redis answers: tell it what it may have lost, before anyone claims."""
        self._inbox.put(run_id)

    def held(self) -> list[tuple[str, str]]:
        """Conversation and fence of every attempt on its way, for the renewal of their leases."""
        return [(running.held.conversation, running.held.fence) for running in list(self._running.values())]

    def renewed(self, held: Sequence[tuple[str, str]], asked: float) -> None:
        """The leases of all these run on: their calls may start for longer.

        Args:
            held: as :meth:`held` said.
            asked: when the renewal was asked for, monotonic seconds.
        """
        right_ends = asked + self._queue.settings.lease * RIGHT
        for _, fence in held:
            running = self._running.get(fence)
            if running is not None:
                running.right_ends = max(running.right_ends, right_ends)

    def close(self) -> None:
        """Claim nothing more and give back what has not begun; calls in flight go on to their end."""
        self._stopping.set()
        self._inbox.put(None)

    def stop(self, seconds: float) -> list[str]:
        """Close, and wait for the calls in flight.

        Returns:
            The ids of jobs whose calls did not end in time: their leases run out, and they settle as unknown.
        """
        self.close()
        self._thread.join(seconds)
        self._hands.stop()
        return [running.held.job_id for running in list(self._running.values())]

    # ---- turning

    def _run(self) -> None:
        while not (self._stopping.is_set() and not self._running):
            self.turned_at = time.monotonic()
            try:
                self._turn()
            except EnvoiError as error:  # Redis does not answer: what was asked is asked again
                if not self.attention.is_set():
                    log.warning("the queue does not answer", action="trip", error=str(error))
                self.attention.set()
                time.sleep(_REDIS_PAUSE)
        with self._ending:
            self._ended = True
            self._idle.set()

    def _turn(self) -> None:
        self._collect(self._patience())
        if self._restarted:
            running = [running.told for running in self._running.values()]
            self._recall.tell_again(self._queue, self.name, self._restarted, running)
            self._restarted = None
        if self._wants_work() and time.monotonic() >= self._claim_at:
            want = self._room - len(self._running)
            self._wishes.append(Wish(Claim(want, f"{self.name}:{next(self._numbers):x}")))
        if self._wishes:
            self._trip()
        if not self._running and not self._awake.is_set():
            self._idle.set()  # whoever answers a bell is free for the next one

    def _wants_work(self) -> bool:
        return self._awake.is_set() and not self._stopping.is_set() and len(self._running) < self._room

    def _patience(self) -> float:
        """Seconds that this turn may wait for news."""
        if self._wishes or self._restarted:
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
                    self._claim_soon()
                elif isinstance(news, str):
                    self._restarted = news
                else:
                    self._resume(*news)
                news = self._inbox.get_nowait()
        except Empty:
            pass
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            self._resume(heapq.heappop(self._timers)[2], None)

    def _claim_soon(self) -> None:
        self._claim_at = self._first_claim

    # ---- attempts

    def _start(self, held: Claimed, right_ends: float) -> None:
        delivery = Delivery(held, self._queue.settings)
        running = Running(delivery, delivery.walk(), Told(held), right_ends)
        self._running[held.fence] = running
        self._watchers.started(delivery)
        self._resume(running, None)

    def _resume(self, running: Running, value: object) -> None:
        """Let an attempt go on with the answer it waited for, up to its next question."""
        if running.held.fence not in self._running:
            return  # it was left to its lease meanwhile
        try:
            wanted = running.walk.send(value)
        except StopIteration as end:
            self._end(running, end.value)
            return
        except Exception:
            log.exception("an attempt met an unforeseen error", action="abandon", job=running.held.job_id)
            self._leave(running)
            return
        match wanted:
            case Call():
                self._hands.do(lambda: self._make_call(running, wanted))
            case Wait(seconds):
                heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._numbers), running))
            case Begin() if self._stopping.is_set():
                self._inbox.put((running, No("shutdown")))  # nothing has begun: it is given back
            case _:
                self._wishes.append(Wish(wanted, running))

    def _make_call(self, running: Running, call: Call) -> None:
        """In a thread of the hands."""
        held = running.held
        outcome = self._graph.call(call.step, held.job, held.token_version, lambda: running.may_start)
        self._inbox.put((running, outcome))

    def _end(self, running: Running, came_to: str) -> None:
        del self._running[running.held.fence]
        self._recall.ended(running.told)
        self._claim_soon()  # its conversation may have a next job, and there is room again
        self._watchers.ended(running.delivery, came_to, time.monotonic() - running.started)

    def _leave(self, running: Running) -> None:
        """Do nothing more for an attempt: its lease runs out, and the queue decides by what it was told."""
        del self._running[running.held.fence]

    # ---- the queue

    def _trip(self) -> None:
        """Send all wishes at once. If Redis does not answer they stay: each may be asked twice without harm."""
        try:
            answers = ask(self._queue, [wish.command for wish in self._wishes])
        except EnvoiError:
            # Nobody waits for a claim; the next turn makes a new one.
            self._wishes = [wish for wish in self._wishes if not wish.claims]
            raise
        self._recall.answered()
        wishes, self._wishes = self._wishes, []
        for wish, answer in zip(wishes, answers, strict=True):
            if isinstance(answer, Exception):
                self._mishap(wish, answer)
            elif wish.running is None:
                self._caught(answer, wish.asked + self._queue.settings.lease * RIGHT)
            else:
                self._answered(wish.running, wish, answer)

    def _answered(self, running: Running, wish: Wish, answer: object) -> None:
        if isinstance(answer, Go):
            running.told.marked = True
            running.right_ends = wish.asked + self._queue.settings.lease * RIGHT
        elif isinstance(wish.command, Done):
            running.told.done(wish.command)
        self._resume(running, answer)

    def _caught(self, catch: Catch, right_ends: float) -> None:
        for held in catch.claimed:
            self._start(held, right_ends)
        if catch.gate_closed:
            self.attention.set()
            self._awake.clear()  # once it is open, the scheduler rings
        elif not catch.claimed:
            if not self._running and (catch.next_in is None or catch.next_in >= _LINGER):
                self._awake.clear()  # the next bell wakes us
            soon = _POLL if catch.next_in is None else min(_POLL, max(0.001, catch.next_in))
            self._claim_at = time.monotonic() + soon

    def _mishap(self, wish: Wish, error: Exception) -> None:
        """A script itself failed: a defect of ours. The attempt is left to its lease; nothing else stops."""
        job_id = wish.running.held.job_id if wish.running else None
        log.error("a script failed", action="script", script=wish.command.script, job=job_id, error=str(error))
        if wish.running:
            self._leave(wish.running)
        else:
            self._claim_at = time.monotonic() + _LINGER
