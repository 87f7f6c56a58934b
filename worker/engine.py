"""The engine: runs many attempts at once in one process and shares its trips to Redis among them.

One thread turns it. It makes calls itself, on sockets that do not block (worker/lines.py); what may block is done by
other threads, a call a thread, and what they bring is put in the inbox. Each turn takes all that has come, resumes the
attempts, and sends all they ask of the queue in one trip.

A bell wakes the engine; it works until nothing can be claimed. Attempts outlive the bell that woke it, so one slow
call never stops the others.
"""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Sequence

import structlog

from envoi.errors import EnvoiError
from envoi.queue.begin import Begin, Go, No
from envoi.queue.bell_list import Bell, BellList
from envoi.queue.claim import Catch, Claim, Claimed
from envoi.queue.done import Done
from envoi.queue.queue import Queue
from worker.acting import attempt
from worker.appetite import Appetite
from worker.asks import Ask, Call, Look, Wait
from worker.callers import Callers
from worker.ear import Ear
from worker.graph import Graph
from worker.inbox import Inbox
from worker.lines import Lines
from worker.progress import Progress
from worker.recall import Told
from worker.restarts import Restarts
from worker.running import News, Running, Watcher, Watchers, Wish
from worker.timers import Timers
from worker.trip import ask

RIGHT = 0.5  # of a lease: so long after the trip that granted it may a call start; the rest covers a freeze
_REDIS_PAUSE = 0.2  # seconds between trips while Redis does not answer
_EAR_TIME = 1.0  # seconds that the ear may take to end; a Redis that stands still keeps it for longer
_MISHAP_PAUSE = 1.0  # seconds until the next claim after one whose script failed

log = structlog.get_logger()


class Engine:
    """Turns attempts, up to ``settings.concurrency`` at once.

    Args:
        queue: where jobs come from and outcomes go.
        graph: makes the calls.
        name: unique to this process's life: no fence of ours is ever anyone else's.
        watchers: told of every attempt.
        lines: makes calls in the engine's own thread; without it each has a thread of the hands.

    Attributes:
        turned_at: the proof of progress, monotonic seconds: the dead-man timer is armed only while it moves on.
        restarts: what it knows of the run of Redis that it works with.
    """

    def __init__(
        self, queue: Queue, graph: Graph, name: str, watchers: Sequence[Watcher] = (), lines: Lines | None = None
    ) -> None:
        self.name = name
        self.turned_at = time.monotonic()
        self._queue = queue
        self._watchers = Watchers(watchers)
        self._room = queue.settings.concurrency
        self._inbox: Inbox[News] | Lines = lines or Inbox()
        self._ear = Ear(BellList(queue.redis, queue.keys), self._inbox.put)
        self._callers = Callers(graph, self._room, self._inbox.put, lines)
        self._timers = Timers()
        self._wishes: list[Wish] = []
        self._running: dict[str, Running] = {}  # by fence
        self._numbers = itertools.count(1)
        self._appetite = Appetite(queue.settings)
        self.restarts = Restarts(queue, name, self._tolds, self._move_on, self._appetite.registered)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="envoi-engine", daemon=True)

    # ---- what other threads may call

    def start(self) -> None:
        """Start turning, in a thread of its own. Nothing is claimed before :meth:`registered`."""
        self._thread.start()
        self._ear.start()

    def registered(self) -> None:
        """The queue's register of workers has this process (again).

        Nothing is claimed before Redis can no longer lose that: a Redis that lost both would open its gate without
        waiting for us, and a message that is out would be sent again.
        """
        self._appetite.registered()
        self._inbox.put(None)

    def wake(self) -> None:
        """There may be work: claim at once."""
        self._appetite.ring()
        self._inbox.put(None)

    def wait_idle(self, seconds: float) -> bool:
        """Wait until nothing is in flight and nothing can be claimed, or the time is up. Returns whether idle."""
        return self._appetite.wait_idle(seconds)

    def redis_restarted(self, run_id: str) -> None:
        """Another run of Redis answers: tell it what it may have lost, before anyone claims."""
        self._inbox.put(run_id)

    def same_run(self, asked: float) -> None:
        """The run of Redis that :meth:`redis_restarted` told last still answered at ``asked``, monotonic seconds."""
        self._inbox.put(asked)

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
        self._ear.stop()
        self._appetite.close()
        self._inbox.put(None)

    def stop(self, seconds: float) -> list[str]:
        """Close, and wait for the calls in flight.

        Returns:
            The ids of jobs whose calls did not end in time: their leases run out, and they settle as unknown.
        """
        self.close()
        self._thread.join(seconds)
        self._appetite.end()  # no bell's thread keeps the process from its end
        self._ear.join(_EAR_TIME)
        left = self.unfinished()
        if not left:
            self._callers.stop()
        return left

    def unfinished(self) -> list[str]:
        """The ids of jobs whose attempts are on their way."""
        return [running.held.job_id for running in list(self._running.values())]

    def progress(self) -> Progress:
        """How it fares. Redis is not asked."""
        return Progress(
            turned_ago=time.monotonic() - self.turned_at,
            running=len(self._running),
            calling=self._callers.busy,
            away=self.restarts.away,
            shut=self.restarts.shut,
        )

    # ---- turning

    def _run(self) -> None:
        try:
            while not (self._stopping.is_set() and not self._running):
                self.turned_at = time.monotonic()
                try:
                    self._turn()
                except EnvoiError as error:  # Redis does not answer: what was asked is asked again
                    self.restarts.lost_touch(error)
                    time.sleep(_REDIS_PAUSE)
        except Exception:
            # What it held is in an unknown state. Nothing is begun any more, and `turned_at` stands still.
            log.critical("the engine broke; the dead-man timer will end this process", action="stuck", exc_info=True)
        finally:
            self._appetite.end()
            self._ear.stop()

    def _turn(self) -> None:
        self._collect(self._patience())
        self.restarts.tell()
        if time.monotonic() >= self._next_claim():
            want = self._room - len(self._running)
            self._appetite.asking()
            self._wishes.append(Wish(Claim(want, f"{self.name}:{next(self._numbers):x}")))
        if self._wishes:
            self._trip()
        self._appetite.rest(busy=bool(self._running))
        self._ear.listen(wanted=self._appetite.awake and self._takes_more())

    def _tolds(self) -> list[Told]:
        return [running.told for running in self._running.values()]

    def _move_on(self) -> None:
        self.turned_at = time.monotonic()

    def _next_claim(self) -> float:
        return self._appetite.next_claim if self._takes_more() else math.inf

    def _takes_more(self) -> bool:
        return len(self._running) < self._room and not self._stopping.is_set()

    def _patience(self) -> float:
        """Seconds that this turn may wait for news."""
        if self._wishes or self.restarts.to_tell:
            return 0.0
        now = time.monotonic()
        return max(0.0, min(now + 1.0, self._next_claim(), self._timers.next_at) - now)

    def _collect(self, seconds: float) -> None:
        """Take all that has come and resume the attempts it is for."""
        for news in self._inbox.take(seconds):
            self._take(news)
        for running in self._timers.due():
            self._resume(running, None)

    def _take(self, news: News) -> None:
        if isinstance(news, tuple):
            self._resume(*news)
        elif news is None:
            self._appetite.soon()
        elif isinstance(news, Bell):
            self._hear(news)
        elif isinstance(news, str):
            self.restarts.another(news)
        else:
            self._appetite.known(news)
            self.restarts.same(news)

    def _hear(self, bell: Bell) -> None:
        if self._takes_more():
            self._ear.answered(bell)
            self._appetite.ring()
            self._appetite.soon()
        else:  # for another worker
            self._ear.refuse(bell)

    # ---- attempts

    def _start(self, held: Claimed, right_ends: float) -> None:
        try:
            delivery = attempt(held, self._queue.settings)
        except Exception:
            log.exception("a job cannot be read", action="abandon", job=held.job_id)
            return  # left to its lease; nothing was made of it
        walk = delivery.walk() if time.monotonic() < right_ends else delivery.give_back()
        running = Running(held, delivery, walk, Told(held), right_ends)
        self._running[held.fence] = running
        self._watchers.started(delivery)
        self._resume(running, None)

    def _resume(self, running: Running, value: object) -> None:
        """Let an attempt go on with the answer it waited for, up to its next question."""
        if running.held.fence not in self._running:
            return  # it was left to its lease meanwhile
        if isinstance(value, Exception):  # what its call raised
            self._abandon(running, value)
            return
        try:
            self._see_to(running, running.walk.send(value))
        except StopIteration as end:
            self._end(running, end.value)
        except Exception as error:  # noqa: BLE001  # logged; it stops no other attempt
            self._abandon(running, error)

    def _see_to(self, running: Running, wanted: Ask) -> None:
        match wanted:
            case Call():
                self._callers.call(running, wanted)
            case Look():
                self._callers.look(running, wanted)
            case Wait(seconds):
                self._timers.wait(running, seconds)
            case Begin() if self._stopping.is_set():
                self._inbox.put((running, No("shutdown")))  # nothing has begun: it is given back
            case _:
                self._wishes.append(Wish(wanted, running))

    def _end(self, running: Running, came_to: str) -> None:
        del self._running[running.held.fence]
        self.restarts.recall.ended(running.told)
        self._appetite.soon()  # its conversation may have a next job, and there is room again
        self._watchers.ended(running.delivery, came_to, time.monotonic() - running.started)

    def _abandon(self, running: Running, error: Exception) -> None:
        log.error("an attempt met an unforeseen error", action="abandon", job=running.held.job_id, exc_info=error)
        self._leave(running)

    def _leave(self, running: Running) -> None:
        """Do nothing more for an attempt: its lease runs out, and the queue decides by what it was told."""
        del self._running[running.held.fence]

    # ---- the queue

    def _trip(self) -> None:
        """Send all wishes at once. If Redis does not answer they stay: each may be asked twice without harm."""
        asked = time.monotonic()
        try:
            answers = ask(self._queue, [wish.command for wish in self._wishes], self.restarts.when_shut)
        except EnvoiError:
            # Nobody waits for a claim; the next turn makes a new one.
            self._wishes = [wish for wish in self._wishes if not wish.claims]
            raise
        self.restarts.away = False
        right_ends = asked + self._queue.settings.lease * RIGHT
        wishes, self._wishes = self._wishes, []
        for wish, answer in zip(wishes, answers, strict=True):
            if isinstance(answer, Exception):
                self._mishap(wish, answer)
            elif wish.running is None:
                full = isinstance(wish.command, Claim) and len(answer.claimed) == wish.command.want
                self._caught(answer, right_ends, full=full)
            else:
                self._answered(wish.running, wish, answer, right_ends)

    def _answered(self, running: Running, wish: Wish, answer: object, right_ends: float) -> None:
        if isinstance(wish.command, Done):
            running.told.done(wish.command)
        elif isinstance(wish.command, Begin):
            go = isinstance(answer, Go)
            if go:
                running.right_ends = max(running.right_ends, right_ends)
            running.told.begun(wish.command, go=go)
            self.restarts.see_gate(shut=isinstance(answer, No) and answer.why == "gate")
        self._resume(running, answer)

    def _caught(self, catch: Catch, right_ends: float, *, full: bool) -> None:
        self.restarts.see_gate(shut=catch.gate_closed)
        for held in catch.claimed:
            self._start(held, right_ends)
        self._appetite.fed(catch, full=full, busy=bool(self._running))

    def _mishap(self, wish: Wish, error: Exception) -> None:
        """A script itself failed: a defect of ours. The attempt is left to its lease; nothing else stops."""
        job_id = wish.running.held.job_id if wish.running else None
        log.error("a script failed", action="script", script=wish.command.script, job=job_id, error=str(error))
        if wish.running:
            self._leave(wish.running)
        else:
            self._appetite.later(_MISHAP_PAUSE)
