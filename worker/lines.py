"""Lines: calls on sockets that do not block, all made by the one thread that turns the engine.

A thread for each call costs more than the call: two hand-overs, and all of them wait for the interpreter's lock. So the
engine's thread itself writes what is ready and waits for all answers at once, and for the news of other threads with
them. What may block is left to hands: a connection that is not there yet, a token that is not in memory, a question
about a token that was refused.
"""

from __future__ import annotations

import math
import os
import select
import time
import weakref
from collections import deque

from worker.answers import Answer
from worker.asks import Call
from worker.call_errors import NoAnswerError, NoRightError
from worker.flight import Flight
from worker.graph import Graph, Outcome, Ready
from worker.hands import Hands
from worker.running import News, Running
from worker.wire import Wire

_AT_ONCE = 32  # events in a turn, so that Redis has what came of them before the next are looked at


class Lines:
    """The engine's inbox (worker/inbox.py), and the calls that its thread makes itself.

    Args:
        graph: whose calls, and whose connections.
        room: so many calls at once at most.
    """

    @staticmethod
    def can_be_had() -> bool:
        """Whether this system has what it takes (Linux)."""
        return hasattr(select, "epoll") and hasattr(os, "eventfd")

    def __init__(self, graph: Graph, room: int) -> None:
        self._graph = graph
        self._connections = graph.connections
        self._flights: dict[int, Flight] = {}  # by file descriptor
        self._expected: dict[int, News] = {}  # the same
        self._first = math.inf  # no deadline is earlier, monotonic seconds
        self._over: list[News] = []
        self._news: deque[News] = deque()
        self._hands = Hands(room)
        self._rung = False
        self._epoll = select.epoll()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._bell, select.EPOLLIN)
        weakref.finalize(self, os.close, self._bell)  # not before the last thread that may ring it is done with us
        weakref.finalize(self, self._hands.stop)

    # ---- any thread

    def put(self, news: News) -> None:
        """Bring something; wakes the thread that waits."""
        self._news.append(news)
        if not self._rung:
            self._rung = True
            os.eventfd_write(self._bell, 1)

    def put_when_readable(self, number: int, news: News) -> bool:
        """Bring something once a file descriptor has something to read, in the engine's own thread.

        Returns:
            False: it cannot be waited for, perhaps since it has been closed; nothing is brought.
        """
        # Once: the connection is read elsewhere, and may be closed there.
        wanted = select.EPOLLIN | select.EPOLLONESHOT
        try:
            try:
                self._epoll.modify(number, wanted)
            except FileNotFoundError:  # a connection that was not waited for before
                self._epoll.register(number, wanted)
        except (OSError, ValueError):  # ValueError: a closed socket has the number -1
            return False
        self._expected[number] = news
        return True

    def forget(self, number: int) -> None:
        """What was to be brought for a file descriptor is not wanted any more: the number may soon be another's."""
        self._expected.pop(number, None)

    @property
    def busy(self) -> int:
        """How many calls are on their way, or ended in a doubt that Graph is asked about."""
        return len(self._flights) + self._hands.busy

    # ---- the engine's thread

    def take(self, seconds: float) -> list[News]:
        """All that has come, what calls came to included; if there is nothing, wait for it so many seconds."""
        if self._over or self._news:
            seconds = 0.0
        elif self._first < math.inf:
            seconds = max(0.0, min(seconds, self._first - time.monotonic()))
        events = self._epoll.poll(seconds, _AT_ONCE)
        self._see_to(events)
        if self._first <= time.monotonic():
            while len(events) == _AT_ONCE:  # none is left over when time-outs are looked at
                events = self._epoll.poll(0, _AT_ONCE)
                self._see_to(events)
            self._give_up_the_late()
        found, self._over = self._over, []
        while self._news:
            found.append(self._news.popleft())
        return found

    def _see_to(self, events: list[tuple[int, int]]) -> None:
        for number, _ in events:
            if number == self._bell:
                os.eventfd_read(self._bell)
                self._rung = False  # before the news are taken: who brings more from now on rings again
            elif number in self._flights:
                self._go_on(number)
            elif number in self._expected:
                self._over.append(self._expected.pop(number))
            # else the connection is idle, or a thread's

    def start(self, running: Running, call: Call) -> bool:
        """Make a call, if that needs no waiting; what it came to is among the next news.

        Returns:
            False: nothing was done; whoever may wait is to make it.
        """
        held = running.held
        ready = self._graph.ready(call.step, call.job or held.job, held.token_version)
        wire = self._connections.take(ready.host) if ready else None
        if ready is None or wire is None:
            return False
        self._begin(running, call, ready, wire)
        return True

    def _begin(self, running: Running, call: Call, ready: Ready, wire: Wire) -> None:
        now = time.monotonic()
        flight = Flight(running, ready, wire, now + ready.patience, time.time(), now)
        if not running.may_start(call.by):
            self._connections.give_back(ready.host, wire)
            self._land(flight, NoRightError("the right to make the call ran out before it"))
            return
        try:
            wire.begin(ready.data)
        except NoAnswerError as error:
            wire.close()
            self._land(flight, error)
            return
        self._flights[wire.fileno()] = flight
        self._first = min(self._first, flight.deadline)
        if wire.watcher is not self:
            self._watch(wire)

    def _watch(self, wire: Wire) -> None:
        """Hear of every change of a connection for as long as it lives, so that a call costs no system call for that.

        A change is told once (EPOLLET): each time everything is written and read that can be.
        """
        self._epoll.register(wire.fileno(), select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
        wire.watcher = self

    def _go_on(self, number: int) -> None:
        flight = self._flights[number]
        wire = flight.wire
        try:
            answer = wire.go_on()
        except NoAnswerError as error:
            self._drop(number, error)
            return
        if answer is None:
            return
        del self._flights[number]
        if answer.reusable:
            self._connections.give_back(flight.ready.host, wire)
        else:
            wire.close()
        self._land(flight, Answer(answer.status, answer.body, answer.headers))

    def _give_up_the_late(self) -> None:
        """What is here was read before this: an answer in time counts even if we come late to read it."""
        now = time.monotonic()
        for number, flight in list(self._flights.items()):
            if flight.deadline <= now:
                self._drop(number, flight.wire.late())
        self._first = min((flight.deadline for flight in self._flights.values()), default=math.inf)

    def _drop(self, number: int, error: NoAnswerError) -> None:
        flight = self._flights.pop(number)
        flight.wire.close()
        self._land(flight, error)

    def _land(self, flight: Flight, came: Answer | Exception) -> None:
        ready, seconds = flight.ready, time.monotonic() - flight.started
        answer: object
        try:
            outcome = self._graph.outcome(ready.step, ready.job, ready.page, came, flight.started_at, seconds)
            if self._graph.doubtful(outcome, ready.step, ready.page):
                self._hands.do(lambda: self._reconsider(flight, outcome))
                return
            answer = outcome
        except Exception as error:  # noqa: BLE001  # logged where the attempt is left
            answer = error
        self._over.append((flight.running, answer))

    def _reconsider(self, flight: Flight, outcome: Outcome) -> None:
        """In a thread of the hands."""
        answer: object
        try:
            answer = self._graph.reconsidered(outcome, flight.ready.job, flight.ready.page)
        except Exception as error:  # noqa: BLE001  # as above
            answer = error
        self.put((flight.running, answer))
