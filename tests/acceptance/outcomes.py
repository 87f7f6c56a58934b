"""Waiting for outcomes in the log, as an operator would look: by SQL."""

from __future__ import annotations

import time
from collections import Counter

from sqlalchemy import Engine

from demo.stack import Stack
from envoi.log.errors import LogUnavailable
from envoi.log.queries import count_by_state
from envoi.states import State

_POLL = 0.1


def wait_until_settled(
    stack: Stack, engine: Engine, jobs: int, timeout: float, *, watch: bool = True
) -> Counter[State]:
    """Wait until the log shows so many jobs, all with an outcome.

    Args:
        stack: checked meanwhile: a process that has ended by itself is a failure at once.
        engine: the log.
        jobs: how many.
        timeout: seconds.
        watch: whether every process must live on.

    Returns:
        How many jobs ended in each state.

    Raises:
        AssertionError: the time is up; says what the log shows.
    """
    deadline = time.monotonic() + timeout
    counts: Counter[State] = Counter()
    while time.monotonic() < deadline:
        if watch:
            stack.check()
        try:
            counts = Counter(count_by_state(engine))
        except LogUnavailable:
            continue
        if sum(counts.values()) >= jobs and all(state.final for state in counts):
            return counts
        time.sleep(_POLL)
    logs = "\n\n".join(f"{child.name}: {child.last_lines(8)}" for child in stack.children())
    raise AssertionError(f"after {timeout} s the log shows {dict(counts)} of {jobs} jobs\n{logs}")


def wait_for(count: int, of: State, engine: Engine, timeout: float) -> None:
    """Wait until so many jobs are in a state.

    Raises:
        AssertionError: the time is up.
    """
    deadline = time.monotonic() + timeout
    found = 0
    while time.monotonic() < deadline:
        found = count_by_state(engine).get(of, 0)
        if found >= count:
            return
        time.sleep(_POLL)
    raise AssertionError(f"after {timeout} s {found} jobs are {of}, not {count}")
