"""How long work gets on, on standard error: a bar at a terminal, else a line now and then; a rate and an estimate."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as RichProgress

from envoi.cli.output import warn

_PLAIN_EVERY = 10.0  # seconds between two lines where nobody watches a bar
_MEMORY = 30.0  # seconds that a rate is taken from


class Rate:
    """How much a second was done lately.

    Args:
        clock: seconds, ever growing.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def note(self, done: int) -> None:
        """So much is done now."""
        now = self._clock()
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[1][0] >= _MEMORY:  # noqa: PLR2004  # two make a rate
            self._seen.popleft()

    def forget(self) -> None:
        """Work has stopped: what was before says nothing of what comes."""
        self._seen.clear()

    @property
    def per_second(self) -> float:
        """Of the last half minute; 0 before anything is known."""
        if not self._seen:
            return 0.0
        (since, before), (until, now) = self._seen[0], self._seen[-1]
        return (now - before) / (until - since) if until > since else 0.0

    def left(self, rest: int) -> str:
        """How long the rest will take, as far as can be said."""
        if rest <= 0:
            return "done"
        rate = self.per_second
        return f"about {timedelta(seconds=round(rest / rate))} left" if rate > 0 else "no estimate yet"


class View(Protocol):
    """Where progress is shown."""

    def show(self, done: int, total: int | None, said: str, *, last: bool) -> None:
        """The newest figures; of an unknown total where that is None."""

    def close(self) -> None:
        """Nothing more comes."""


class Lines:
    """One line on standard error now and then, and one at the end.

    Args:
        clock: seconds, ever growing.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next = clock() + _PLAIN_EVERY

    def show(self, done: int, total: int | None, said: str, *, last: bool) -> None:
        """The newest figures."""
        if last or self._clock() >= self._next:
            self._next = self._clock() + _PLAIN_EVERY
            warn(f"{done:,}{'' if total is None else f' of {total:,}'}; {said}")

    def close(self) -> None:
        """A line needs no end."""


class Bar:
    """A bar at a terminal."""

    def __init__(self, console: Console | None = None) -> None:
        columns = (BarColumn(), TextColumn("{task.description}", markup=False))
        # What goes to a file must not be caught and written above the bar.
        self._progress = RichProgress(
            *columns, console=console or Console(stderr=True), redirect_stdout=sys.stdout.isatty()
        )
        self._task = self._progress.add_task("", total=None)
        self._shown = False

    def show(self, done: int, total: int | None, said: str, *, last: bool) -> None:  # noqa: ARG002  # as all views
        """The newest figures."""
        if not self._shown:
            self._shown = True
            self._progress.start()
        figures = f"{done:,}" if total is None else f"{done:,}/{total:,}"
        self._progress.update(self._task, total=total, completed=done, description=f"{figures} {said}")

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._shown:
            self._progress.stop()


class Progress:
    """Progress of one piece of work; to be left with ``with``.

    Args:
        total: how much there is to do, as far as that is known.
        view: where it is shown; standard error, if not given.
        rate: what it is measured with.
    """

    def __init__(self, total: int | None = None, view: View | None = None, rate: Rate | None = None) -> None:
        self._total = total
        self._view = view or (Bar() if sys.stderr.isatty() else Lines())
        self._rate = rate or Rate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def show(
        self, done: int, total: int | None = None, *, said: str = "", going: bool = True, last: bool = False
    ) -> None:
        """So much is done.

        Args:
            done: since the beginning.
            total: of so much, where that has changed.
            said: in words, before the figures.
            going: whether work goes on; while it does not, no rate is shown.
            last: whether nothing more comes.
        """
        self._total = self._total if total is None else total
        parts = [said] if said else []
        if not going:
            self._rate.forget()
        else:
            self._rate.note(done)
            parts.append(f"{self._rate.per_second:,.1f}/s")
            parts += [] if self._total is None else [self._rate.left(self._total - done)]
        self._view.show(done, self._total, ", ".join(parts), last=last)

    def close(self) -> None:
        """Nothing more comes; may be said twice."""
        self._view.close()
