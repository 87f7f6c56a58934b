"""How a broadcast gets on, until it has ended. Loads SQLAlchemy, as :mod:`envoi.cli.log` does."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from envoi.broadcast.report import Report, counted
from envoi.broadcast.states import BroadcastState
from envoi.broadcast.store import Broadcast, Broadcasts
from envoi.cli import log
from envoi.cli.broadcast_report import show_report
from envoi.cli.output import warn

_PERIOD = 1.0  # seconds between two counts at least
_SHARE = 0.05  # of the time that counting may take, so that it does not slow down what it counts
_PLAIN_EVERY = 10.0  # seconds between two lines where nobody watches a bar
_MEMORY = 30.0  # seconds that a rate is taken from
_INTERRUPTED = 130


class Rate:
    """How many people a second have got their outcome lately.

    Args:
        clock: seconds, ever growing.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def note(self, settled: int) -> None:
        """So many have one now."""
        now = self._clock()
        self._seen.append((now, settled))
        while len(self._seen) > 2 and now - self._seen[1][0] >= _MEMORY:  # noqa: PLR2004  # two make a rate
            self._seen.popleft()

    @property
    def per_second(self) -> float:
        """Of the last half minute; 0 before anything is known."""
        (since, before), (until, now) = self._seen[0], self._seen[-1]
        return (now - before) / (until - since) if until > since else 0.0

    def left(self, report: Report) -> str:
        """How long the rest will take, as far as can be said."""
        rest = report.total - report.settled
        if not rest:
            return "done"
        rate = self.per_second
        return f"about {timedelta(seconds=round(rest / rate))} left" if rate > 0 else "no estimate yet"


class View(Protocol):
    """Shows how a broadcast gets on."""

    def show(self, broadcast: Broadcast, report: Report, rate: Rate) -> None:
        """The newest figures."""

    def close(self) -> None:
        """Nothing more comes."""


class _Lines:
    """One line on standard error now and then."""

    def __init__(self) -> None:
        self._next = time.monotonic()

    def show(self, broadcast: Broadcast, report: Report, rate: Rate) -> None:
        if time.monotonic() >= self._next or broadcast.state.ended:
            self._next = time.monotonic() + _PLAIN_EVERY
            warn(f"{report.settled:,} of {report.total:,}; {_said(broadcast, report, rate)}")

    def close(self) -> None:
        """A line needs no end."""


class Bar:
    """A bar at a terminal."""

    def __init__(self, console: Console | None = None) -> None:
        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False))
        self._progress = Progress(*columns, console=console or Console(stderr=True))
        self._task = self._progress.add_task("", total=None)
        self._progress.start()

    def show(self, broadcast: Broadcast, report: Report, rate: Rate) -> None:
        """The newest figures."""
        said = _said(broadcast, report, rate)
        self._progress.update(self._task, total=report.total, completed=report.settled, description=said)

    def close(self) -> None:
        """Leave the bar as it is."""
        self._progress.stop()


def _said(broadcast: Broadcast, report: Report, rate: Rate) -> str:
    if broadcast.state in {BroadcastState.RUNNING, BroadcastState.FINISHED}:
        return f"{report.outcomes['sent']:,} sent, {rate.per_second:,.1f}/s, {rate.left(report)}"
    return f"{report.outcomes['sent']:,} sent, {broadcast.state}"


def follow(broadcast_id: str, *, as_json: bool) -> None:
    """Show how it gets on until it has ended, then what became of everybody.

    Raises:
        Exit: with status 130 where the operator has seen enough: the broadcast goes on.
    """
    with log.opened() as engine:
        store, rate = Broadcasts(engine), Rate()
        view: View = Bar() if sys.stderr.isatty() else _Lines()
        try:
            while True:
                began = time.monotonic()
                broadcast = store.get(broadcast_id)  # before it is counted: once it has ended, nothing changes
                report = counted(engine, broadcast_id, reasons=False)
                rate.note(report.settled)
                view.show(broadcast, report, rate)
                if broadcast.state.ended:
                    break
                time.sleep(max(_PERIOD, (time.monotonic() - began) / _SHARE))
        except KeyboardInterrupt:
            view.close()
            warn(f"broadcast {broadcast_id} goes on: `envoi broadcasts show {broadcast_id}`, or pause or cancel")
            raise typer.Exit(_INTERRUPTED) from None
        finally:
            view.close()
        show_report(broadcast, counted(engine, broadcast_id), as_json=as_json)
