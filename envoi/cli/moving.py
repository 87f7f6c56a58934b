"""Moving a page here from another cell (docs/cells.md)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from envoi.cli.identifiers import PageId
from envoi.cli.output import AsJson, print_json, print_line
from envoi.client import open_queue
from envoi.moving import carry, left

# From the environment too: an address may hold a password, and arguments show in the list of processes.
OldRedis = Annotated[
    str,
    typer.Option("--from", metavar="URL", envvar="ENVOI_OLD_REDIS_URL", help="The Redis of the cell that it leaves."),
]
Again = Annotated[bool, typer.Option("--again", help="Leave out holds and opt-outs: some may have ended here since.")]


def carry_page(page: PageId, old: OldRedis, *, again: Again = False, as_json: AsJson = False) -> None:
    """Copy what another cell remembers of a page that moves here.

    It says what that cell still has of it.

    The page must have been added here and be paused. It may be resumed once nothing of it is left there and this
    was run once more.

    Example: `envoi pages carry 1234567890 --from redis://redis-a:6379/0`
    """
    there, here = open_queue(old), open_queue()
    copied = carry(page, there, here, standing=not again)
    found = left(page, there)
    if as_json:
        print_json({"id": page, "copied": copied, "left": asdict(found)})
    else:
        print_line(
            f"page {page}: {copied} things copied; left in the cell that it leaves:"
            f" {found.conversations} conversations in line, {found.scheduled} with scheduled jobs"
        )
