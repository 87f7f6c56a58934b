"""The command ``envoi``: what it is called with, and how it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import cache
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from redis.exceptions import RedisError

from envoi.cli import (
    action,
    applications,
    apps,
    broadcast,
    broadcasts,
    console,
    discard,
    doctor,
    erase,
    holds,
    jobs,
    metrics,
    migrate,
    moving,
    optouts,
    outbox,
    pages,
    recover,
    replay,
    resolve,
    sending,
    settings,
    upload,
)
from envoi.cli.examples import lay_out
from envoi.cli.failures import shown
from envoi.errors import EnvoiError
from envoi.version import VERSION

# rich's markup is off, so these texts appear as they stand.
app = typer.Typer(
    name="envoi",
    help="Queue-backed delivery for Meta's Send API: nothing lost, nothing sent twice, nothing out of order.",
    epilog="Exit status: 0 done; 1 refused or failed, and standard error says why; 2 wrong usage; 130 interrupted. "
    "Settings come from the environment: see `envoi settings`.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,  # they would show local variables, tokens among them
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(sending.send)
app.command()(action.action)
app.command()(broadcast.broadcast)
app.command()(upload.upload)
app.command()(sending.status)
app.command()(sending.cancel)
app.command()(sending.reschedule)
app.command("jobs")(jobs.show_jobs)
app.command("job")(jobs.show_job)
app.command("replay")(replay.replay)
app.command("discard")(discard.discard)
app.command()(resolve.resolve)
app.command()(holds.hold)
app.command()(holds.release)
app.command()(holds.held)
app.command()(holds.conversation)
app.command("cancel-all")(holds.cancel_all)
app.command("opt-out")(optouts.opt_out)
app.command("opt-in")(optouts.opt_in)
app.command("opt-outs")(optouts.opt_outs)
app.command()(erase.erase)
pages.app.command("carry")(moving.carry_page)
app.add_typer(pages.app)
app.add_typer(apps.app)
app.add_typer(outbox.app)
app.add_typer(broadcasts.app)
app.command("console")(console.console)
app.command("recover")(recover.recover)
app.command("migrate")(migrate.migrate)
app.command("doctor")(doctor.doctor)
app.command("settings")(settings.show_settings)
app.command("metrics")(metrics.show_metrics)
applications.register(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"envoi {VERSION}")  # noqa: T201  # a command's own output
        raise typer.Exit


@app.callback()
def _top(
    *,
    version: Annotated[  # its callback does it
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options that go before any command."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: of the command; the process's own if not given.

    Returns:
        Exit status, as the help says.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without UTF-8 shows escapes, not an error
    try:
        _command()(args=None if arguments is None else list(arguments), prog_name="envoi")
    except SystemExit as end:  # typer's way of ending, and argparse's in the applications
        return _flushed(end.code if isinstance(end.code, int) else 1 if end.code else 0)
    except (EnvoiError, ImportError, RedisError) as error:
        lines = shown(error)
        if lines is None:
            raise
        print("\n".join(lines), file=sys.stderr)  # noqa: T201  # a command's own output
        return _flushed(1)
    return _flushed(0)


@cache  # to read every option of every command takes longer than most of them do
def _command() -> Any:  # noqa: ANN401  # typer's own kind of click's command
    return lay_out(typer.main.get_command(app))


def _flushed(status: int) -> int:
    """See whether standard output took all; who reads it may have gone (``envoi jobs | head``)."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains once more at its end
        return 1
    return status
