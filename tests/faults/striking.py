"""What makes a worker strike itself at one exact place.

The hook is here, not in the product, and only a nursery loads it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from tests.faults.strikes import Strike

_true_time = time.time
_ahead = 0.0  # seconds


def stepped_time() -> float:
    """The time of day, with the steps that a strike has made."""
    return _true_time() + _ahead


class Striker:
    """Counts how often its place is reached, from all threads, and strikes once.

    Args:
        strike: as :meth:`Strike.as_json` gives it.
    """

    def __init__(self, strike: dict[str, Any]) -> None:
        self._strike = Strike.load(strike)
        self._reached = 0
        self._lock = threading.Lock()

    def reach(self, place: str) -> None:
        """A place is reached: right now, nothing more of it has been done."""
        if place != self._strike.place:
            return
        with self._lock:
            self._reached += 1
            due = self._reached == self._strike.number
        if due:
            self._do()

    def _do(self) -> None:
        global _ahead  # noqa: PLW0603  # one clock a process
        os.write(sys.stderr.fileno(), f"strike: {self._strike}\n".encode())
        match self._strike.does:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "stop":
                os.kill(os.getpid(), signal.SIGSTOP)
            case "clock":
                _ahead = self._strike.seconds


def _writes(commands: Sequence[Any]) -> list[str]:
    """The names of a trip's writes."""
    return [getattr(command, "op", command.script) for command in commands]


def _step_of(request: bytes) -> str:
    """The step that a request is of."""
    for action in ("typing_on", "typing_off", "mark_seen"):
        if action.encode() in request:
            return action
    return "message"


def wrap(striker: Striker) -> None:
    """Put the striker around every trip to the queue and every exchange with Graph."""
    _wrap_trips(striker)
    _wrap_blocking_calls(striker)
    _wrap_other_calls(striker)


def _wrap_trips(striker: Striker) -> None:
    from envoi.queue.runner import Runner, Trip  # noqa: PLC0415  # the nursery replaces the clock before

    depart, arrive = Runner.depart, Runner.arrive

    def struck_depart(self: Runner, commands: Sequence[Any]) -> Trip:
        for name in _writes(commands):
            striker.reach(f"before {name}")
        return depart(self, commands)

    def struck_arrive(self: Runner, trip: Trip, when_shut: Callable[[], None] | None = None) -> list[Any]:
        answers = arrive(self, trip, when_shut)
        for name, answer in zip(_writes(trip.commands), answers, strict=True):
            if name != "claim" or answer.claimed:  # a claim that brought nothing is no write
                striker.reach(f"after {name}")
        return answers

    Runner.depart = struck_depart  # type: ignore[method-assign]  # the hook
    Runner.arrive = struck_arrive  # type: ignore[method-assign]  # the hook


def _wrap_blocking_calls(striker: Striker) -> None:
    from worker.http_answer import WireAnswer  # noqa: PLC0415  # as above
    from worker.wire import Wire  # noqa: PLC0415  # as above

    exchange = Wire.exchange

    def struck_exchange(self: Wire, request: bytes, deadline: float) -> WireAnswer:
        step = _step_of(request)
        striker.reach(f"before {step}")
        answer = exchange(self, request, deadline)
        striker.reach(f"after {step}")
        return answer

    Wire.exchange = struck_exchange  # type: ignore[method-assign]  # the hook


def _wrap_other_calls(striker: Striker) -> None:
    """The calls that do not block their thread."""
    from worker.http_answer import WireAnswer  # noqa: PLC0415  # as above
    from worker.wire import Wire  # noqa: PLC0415  # as above

    begin, go_on = Wire.begin, Wire.go_on
    steps: WeakKeyDictionary[Wire, str] = WeakKeyDictionary()

    def struck_begin(self: Wire, request: bytes) -> None:
        steps[self] = _step_of(request)
        striker.reach(f"before {steps[self]}")
        begin(self, request)

    def struck_go_on(self: Wire) -> WireAnswer | None:
        answer = go_on(self)
        if answer is not None:
            striker.reach(f"after {steps[self]}")
        return answer

    Wire.begin = struck_begin  # type: ignore[method-assign]  # the hook
    Wire.go_on = struck_go_on  # type: ignore[method-assign]  # the hook
