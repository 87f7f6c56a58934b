"""The command line. It needs typer and rich, which a web app that only enqueues need not have."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command ``envoi``.

    Args:
        arguments: of the command; the process's own if not given.

    Returns:
        Exit status: 0 done, 1 refused or failed, 2 wrong usage, 130 interrupted.
    """
    try:
        from envoi.cli.app import run  # noqa: PLC0415  # here, where their absence can be told
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in {"rich", "typer"}:
            raise
        print(  # noqa: T201  # a command's own output
            f"envoi: the command line needs {package}: pip install 'envoi[cli]', or 'envoi[worker]' to deliver too",
            file=sys.stderr,
        )
        return 1
    return run(arguments)
