"""A worker that strikes itself, for tests, with a strike in its environment.

``time.time`` is replaced before anything else is imported, since many take it by name.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

from tests.faults.strikes import VARIABLE, Strike

_true_time = time.time
_ahead = 0.0  # seconds


def _stepped_time() -> float:
    return _true_time() + _ahead


class Striker:
    """Counts how often its place is reached, from all threads, and strikes once."""

    def __init__(self, strike: Strike) -> None:
        self._strike = strike
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
        print(f"strike: {self._strike}", file=sys.stderr, flush=True)
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
    from envoi.queue.runner import Runner  # noqa: PLC0415  # after the clock was replaced
    from worker.wire import Wire, WireAnswer  # noqa: PLC0415  # as above

    trip, exchange = Runner.trip, Wire.exchange

    def struck_trip(self: Runner, commands: Sequence[Any]) -> list[Any]:
        for name in _writes(commands):
            striker.reach(f"before {name}")
        answers = trip(self, commands)
        for name, answer in zip(_writes(commands), answers, strict=True):
            if name != "claim" or answer.claimed:  # a claim that brought nothing is no write
                striker.reach(f"after {name}")
        return answers

    def struck_exchange(self: Wire, request: bytes, deadline: float) -> WireAnswer:
        step = _step_of(request)
        striker.reach(f"before {step}")
        answer = exchange(self, request, deadline)
        striker.reach(f"after {step}")
        return answer

    Runner.trip = struck_trip  # type: ignore[method-assign]  # the hook
    Wire.exchange = struck_exchange  # type: ignore[method-assign]  # the hook


def main() -> int:
    """Run a worker under the strike that the environment names."""
    strike = Strike.load(os.environ[VARIABLE])
    time.time = _stepped_time
    wrap(Striker(strike))
    from worker.__main__ import main as worker  # noqa: PLC0415  # after the clock was replaced

    return worker(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
