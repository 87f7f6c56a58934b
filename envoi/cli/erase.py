"""Erase what names a person, everywhere that Envoi keeps it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from envoi.cli.given import recipient_of
from envoi.cli.holds import RecipientArgument
from envoi.cli.identifiers import PageId
from envoi.cli.output import AsJson, print_fields, print_json


def erase(
    page: PageId,
    recipient: RecipientArgument,
    *,
    patience: Annotated[
        float, typer.Option(min=0, max=3600, metavar="SECONDS", help="How long the log may need to catch up.")
    ] = 30.0,
    as_json: AsJson = False,
) -> None:
    """Erase a person's data from queue, log and outbox.

    The outbox is that of ENVOI_OUTBOX_DATABASE_URL, if there is one. What waits is cancelled; rows of jobs and calls
    stay, and name nobody. The opt-out goes too. A scheduler must be at work. Where a message is under way it says so,
    with exit status 1: run it again, as after an interruption. Out of reach: Redis's append-only file until it is
    rewritten, SQL's own logs and dead rows, backups, log files, and Meta.

    Example: `envoi erase 1234567890 7000000000000001`
    """
    from envoi.erase import open_erasure  # noqa: PLC0415  # loads SQLAlchemy

    with open_erasure(patience=patience) as erasure:
        found = asdict(erasure.erase(page, recipient_of(recipient)))
    if as_json:
        print_json(found)
    else:
        print_fields(found)
