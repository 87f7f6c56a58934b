"""Waiting for outcomes in the log, as an operator would look: by SQL."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

from sqlalchemy import Engine

from demo.stack import Stack
from envoi.log.errors import LogUnavailable
from envoi.log.queries import count_by_state
from envoi.states import State
from tests.waiting import Stuck, wait_until


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
        Stuck: the time is up; says what the log shows.
    """
    counts: Counter[State] = Counter()

    def settled() -> bool:
        nonlocal counts
        with suppress(LogUnavailable):
            counts = Counter(count_by_state(engine))
        return sum(counts.values()) >= jobs and all(state.final for state in counts)

    try:
        wait_until(settled, f"an outcome for each of {jobs} jobs", timeout, meanwhile=stack.check if watch else None)
    except Stuck as error:
        logs = "\n\n".join(f"{child.name}: {child.last_lines(8)}" for child in stack.children())
        raise Stuck(f"{error}; the log shows {dict(counts)}\n{logs}") from None
    return counts


def wait_for(count: int, of: State, engine: Engine, timeout: float) -> None:
    """Wait until so many jobs are in a state.

    Raises:
        Stuck: the time is up.
    """
    wait_until(lambda: count_by_state(engine).get(of, 0) >= count, f"{count} jobs are {of}", timeout)
