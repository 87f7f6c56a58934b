"""The outbox in an app's own database: relay it, look at it, try refused rows again."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from envoi.cli.output import AsJson, print_json, print_line, print_table

if TYPE_CHECKING:
    from envoi.outbox import Relay  # loads SQLAlchemy

app = typer.Typer(name="outbox", help="Jobs that an app wrote in its own transactions.", no_args_is_help=True)

Database = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="The app's database; ENVOI_OUTBOX_DATABASE_URL if not given, which hides it from ps."
    ),
]
_COLUMNS = ("job_id", "created_at", "refused_at", "error")


@app.command("relay")
def relay(
    *,
    database: Database = None,
    once: Annotated[bool, typer.Option("--once", help="Until the outbox is empty, and no longer.")] = False,
) -> None:
    """Enqueue what is committed, until SIGTERM. Any number may run; one of them works at a time.

    Example: `envoi outbox relay --once`
    """
    from envoi.outbox import open_relay  # noqa: PLC0415  # loads SQLAlchemy

    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(name)s: %(message)s")
    with open_relay(database) as found:
        if once:
            relayed = 0
            while moved := found.turn():
                relayed += moved
            print_line(f"{relayed} rows")
            return
        working = _Working(found)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: working.stop.set())
        working.start()
        working.stop.wait()
        found.wake()
        working.join()
    if working.error:
        raise working.error


class _Working(threading.Thread):
    """Relays, so that the main thread hears signals at once.

    Attributes:
        stop: set from outside, or when it ended by itself.
        error: why it ended by itself.
    """

    def __init__(self, relay: Relay) -> None:
        super().__init__(name="envoi-outbox")
        self.stop = threading.Event()
        self.error: Exception | None = None
        self._relay = relay

    def run(self) -> None:
        try:
            self._relay.run(self.stop)
        except Exception as error:  # noqa: BLE001  # raised again by the main thread
            self.error = error
        finally:
            self.stop.set()


@app.command("list")
def show(
    *,
    database: Database = None,
    refused: Annotated[bool, typer.Option("--refused", help="Only those that the queue has refused.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List the rows that are not relayed, the oldest first.

    Without their messages.

    Example: `envoi outbox list --refused`
    """
    from envoi.outbox.database import database_errors, open_outbox  # noqa: PLC0415  # loads SQLAlchemy
    from envoi.outbox.rows import waiting  # noqa: PLC0415  # as above

    engine = open_outbox(database)
    try:
        with database_errors(engine), engine.connect() as connection:
            found = [asdict(row) for row in waiting(connection, refused=refused, limit=limit)]
    finally:
        engine.dispose()
    if as_json:
        print_json({"rows": found})
    else:
        print_table(_COLUMNS, [[row[name] for name in _COLUMNS] for row in found])


@app.command("retry")
def retry(
    jobs: Annotated[list[str] | None, typer.Argument(metavar="JOB", help="All refused ones if not given.")] = None,
    *,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Let rows that the queue refused be relayed once more.

    Example: `envoi outbox retry 01M86X3YDD2XQ34SMV5Q0EAHZB`
    """
    from envoi.outbox import retry as let_again  # noqa: PLC0415  # loads SQLAlchemy
    from envoi.outbox.database import database_errors, open_outbox  # noqa: PLC0415  # as above

    engine = open_outbox(database)
    try:
        with database_errors(engine), engine.begin() as connection:
            changed = let_again(connection, jobs or [])
    finally:
        engine.dispose()
    if as_json:
        print_json({"rows": changed})
    else:
        print_line(f"{changed} rows")
