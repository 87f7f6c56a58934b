"""The applications: worker, scheduler, sandbox, demo. Known by name only, and started when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typer

from envoi.cli.failures import NotHere

APPLICATIONS = {
    "demo": "See it work on this machine, without a Facebook account.",
    "worker": "Deliver: take jobs and make their calls.",
    "scheduler": "Keep time: due jobs, run-out leases, the log.",
    "sandbox": "Run a Graph API on localhost, with faults to order.",
}


def register(app: typer.Typer) -> None:
    """Add one command for each; its arguments, ``--help`` among them, are the application's own."""
    for name, text in APPLICATIONS.items():
        app.command(
            name,
            help=text,
            add_help_option=False,
            context_settings={
                "allow_extra_args": True,
                "ignore_unknown_options": True,
                "allow_interspersed_args": False,
                "help_option_names": [],
            },
        )(_command(name))


def start(name: str, arguments: list[str]) -> int:
    """Run an application in this process.

    Returns:
        Its exit status.

    Raises:
        NotHere: it does not lie beside ``envoi``: only that is in the wheel.
    """
    status: int = part(name, "__main__").main(arguments)
    return status


def part(name: str, module: str) -> Any:  # noqa: ANN401  # what a module has is its own
    """A module of an application.

    Raises:
        NotHere: the application does not lie beside ``envoi``: only that is in the wheel.
    """
    home = Path(__file__).resolve().parents[2]
    found = find_spec(name)
    if found is None or found.origin is None or Path(found.origin).resolve().parent != home / name:
        # Another package of that name is not ours to run.
        elsewhere = f" ({found.origin} is another one)" if found and found.origin else ""
        raise NotHere(f"no {name} in {home}{elsewhere}: run it from a checkout of Envoi or its image")
    return import_module(f"{name}.{module}")


def _command(name: str) -> Callable[[typer.Context], None]:
    def command(context: typer.Context) -> None:
        raise typer.Exit(start(name, context.args))

    return command
