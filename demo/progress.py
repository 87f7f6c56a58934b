"""How far the deliveries are: a bar in a terminal, a line now and then anywhere else."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from rich import progress
from rich.console import Console

from envoi import State

_LINE_EVERY = 1.0  # seconds between two lines where there is no terminal


class SendingProgress:
    """Shows how many of a number of jobs are sent, and where the others are."""

    def __init__(self, console: Console, total: int) -> None:
        """Prepare it; it shows within its ``with`` block.

        Args:
            console: where to.
            total: how many jobs there are.
        """
        self._console = console
        self._total = total
        self._bar = progress.Progress(
            progress.BarColumn(), progress.TextColumn("{task.description}"), console=console, transient=True
        )
        self._task = self._bar.add_task("", total=total)
        self._shown = ""
        self._next_line = 0.0

    def update(self, states: Iterable[State]) -> None:
        """Show where the jobs that the log knows are by now."""
        counts = Counter(states)
        text = counted(counts, self._total)
        if self._console.is_terminal:
            self._bar.update(
                self._task, description=text, completed=sum(counts[state] for state in State if state.final)
            )
        elif text != self._shown and time.monotonic() >= self._next_line:
            self._console.print(f"  {text}")
            self._next_line = time.monotonic() + _LINE_EVERY
            self._shown = text

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._bar.stop()


def counted(counts: Counter[State], total: int) -> str:
    """``12 of 33 sent, 1 retrying``."""
    others = [f"{counts[state]} {state}" for state in State if counts[state] and state is not State.SENT]
    return ", ".join([f"{counts[State.SENT]} of {total} sent", *others])
