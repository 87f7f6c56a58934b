"""Callers: who makes the calls and looks that attempts ask for, and brings what they came to.

What needs no waiting is done by the engine's own thread, on its lines; the rest by the hands, a thread each.
"""

from __future__ import annotations

from collections.abc import Callable

from worker.asks import Call, Look
from worker.graph import Graph
from worker.hands import Hands
from worker.lines import Lines
from worker.running import News, Running


class Callers:
    """Of one engine.

    Args:
        graph: makes the calls.
        room: so many at once at most.
        bring: takes an attempt and what its call or look came to, in any thread.
        lines: makes calls in the engine's own thread; without it each has a thread of the hands.
    """

    def __init__(self, graph: Graph, room: int, bring: Callable[[News], None], lines: Lines | None) -> None:
        self._graph = graph
        self._bring = bring
        self._lines = lines
        self._hands = Hands(room)

    @property
    def busy(self) -> int:
        """Calls and looks under way."""
        return self._hands.busy + (self._lines.busy if self._lines else 0)

    def call(self, running: Running, wanted: Call) -> None:
        """Make a call for an attempt. In the engine's thread."""
        if self._lines is None or not self._lines.start(running, wanted):
            self._hands.do(lambda: self._call(running, wanted))

    def look(self, running: Running, wanted: Look) -> None:
        """Look into an attempt's conversation."""
        self._hands.do(lambda: self._look(running, wanted))

    def stop(self) -> None:
        """Nothing more will be asked for."""
        self._hands.stop()

    def _call(self, running: Running, wanted: Call) -> None:
        held = running.held
        answer: object
        try:
            answer = self._graph.call(
                wanted.step, wanted.job or held.job, held.token_version, lambda: running.may_start(wanted.by)
            )
        except Exception as error:  # noqa: BLE001  # logged where the attempt is left; it must not hang for ever
            answer = error
        self._bring((running, answer))

    def _look(self, running: Running, wanted: Look) -> None:
        held = running.held
        answer: object
        try:
            answer = self._graph.look(held.job, held.token_version, wanted.asked_at)
        except Exception as error:  # noqa: BLE001  # as above
            answer = error
        self._bring((running, answer))
