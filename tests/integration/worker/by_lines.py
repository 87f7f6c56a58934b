"""Calls as the engine's own thread makes them, for tests that were written for calls that block."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

from tests.integration.worker.graph_host import JOB
from tests.waiting import wait_until
from worker.asks import Call
from worker.call_errors import NeverLeftError
from worker.graph import Graph, Outcome
from worker.lines import Lines
from worker.running import Running
from worker.steps import Step


@dataclass
class Attempt:
    """As much of an attempt as a call needs."""

    right: Callable[[], bool] = lambda: True
    job: dict[str, Any] | None = None

    @property
    def held(self) -> Any:
        return SimpleNamespace(job=self.job or JOB, token_version=1)

    def may_start(self, by: float | None = None) -> bool:
        del by
        return self.right()


def running(right: Callable[[], bool] = lambda: True) -> Running:
    return cast(Running, Attempt(right))


def connect(made: Graph, count: int = 1) -> None:
    """Have so many idle connections."""
    made._tokens.get(JOB["page"], 1)
    ready = made.ready(Step.MESSAGE, JOB, 1)
    assert ready
    for wire in [made.connections._dialer.dial(ready.host, 2.0) for _ in range(count)]:
        made.connections.give_back(ready.host, wire)


def call(made: Graph, step: Step = Step.MESSAGE, may_start: Callable[[], bool] = lambda: True) -> Outcome:
    """Make one call of the job; where nothing can be written yet, as the engine's hands do."""
    lines = Lines(made, 4)
    try:
        page = made._tokens.get(JOB["page"], 1)
    except Exception:  # noqa: BLE001  # it is the call's to find
        return made.call(step, JOB, 1, may_start)
    if not lines.start(running(may_start), Call(step)):
        ready = made.ready(step, JOB, 1)
        if ready is None:
            return made.call(step, JOB, 1, may_start)
        began = time.perf_counter()
        try:
            wire = made.connections._dialer.dial(ready.host, made._settings.connect_timeout)
        except NeverLeftError as error:
            return made.outcome(step, JOB, page, error, time.time(), time.perf_counter() - began)
        lines._begin(running(may_start), Call(step), ready, wire)
    news = wait_until(lambda: lines.take(1.0), "the end of the call")
    [(_, outcome)] = cast("list[tuple[Running, Outcome]]", news)
    return outcome
