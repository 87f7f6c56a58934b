"""How a broadcast gets on, until it has ended. Loads SQLAlchemy, as :mod:`envoi.cli.log` does."""

from __future__ import annotations

import time

import typer

from envoi.broadcast.report import Report, counted
from envoi.broadcast.states import BroadcastState
from envoi.broadcast.store import Broadcast, Broadcasts
from envoi.cli import log
from envoi.cli.broadcast_report import show_report
from envoi.cli.failures import INTERRUPTED
from envoi.cli.output import warn
from envoi.cli.progress import Progress

_PERIOD = 1.0  # seconds between two counts at least
_SHARE = 0.05  # of the time that counting may take, so that it does not slow down what it counts


def follow(broadcast_id: str, *, as_json: bool) -> None:
    """Show how it gets on until it has ended, then what became of everybody.

    Raises:
        Exit: with status 130 where the operator has seen enough: the broadcast goes on.
    """
    with log.opened() as engine:
        store = Broadcasts(engine)
        with Progress() as progress:
            try:
                while True:
                    began = time.monotonic()
                    broadcast = store.get(broadcast_id)  # before it is counted: once it has ended, nothing changes
                    tell(progress, broadcast, counted(engine, broadcast_id, reasons=False))
                    if broadcast.state.ended:
                        break
                    time.sleep(max(_PERIOD, (time.monotonic() - began) / _SHARE))
            except KeyboardInterrupt:
                progress.close()
                warn(f"broadcast {broadcast_id} goes on: `envoi broadcasts show {broadcast_id}`, or pause or cancel")
                raise typer.Exit(INTERRUPTED) from None
        show_report(broadcast, counted(engine, broadcast_id), as_json=as_json)


def tell(progress: Progress, broadcast: Broadcast, report: Report) -> None:
    """Show the newest figures: people who have their outcome, of all."""
    going = broadcast.state in {BroadcastState.RUNNING, BroadcastState.FINISHED}
    said = f"{report.outcomes['sent']:,} sent" + ("" if going else f", {broadcast.state}")
    progress.show(report.settled, report.total, said=said, going=going, last=broadcast.state.ended)
