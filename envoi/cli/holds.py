"""Whole conversations: hold, release, what waits in one, cancel it all. They ask Redis only."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from itertools import islice
from typing import Annotated

import typer

from envoi.cli.given import moment_of, recipient_of
from envoi.cli.identifiers import PageId
from envoi.cli.output import AsJson, print_fields, print_json, print_line, print_table
from envoi.client import Envoi

RecipientArgument = Annotated[
    str, typer.Argument(metavar="RECIPIENT", help="The person's page-scoped id, or the Send API's object as JSON.")
]
_RELEASED = "it is released"  # of a hold that has no other end
Limit = Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many.")]


def named(recipient: dict[str, str]) -> str:
    """A recipient as a cell of a table: an id as it stands, any other kind with its name."""
    return next(value if kind == "id" else f"{kind} {value}" for kind, value in recipient.items())


def hold(
    page: PageId,
    recipient: RecipientArgument,
    *,
    until: Annotated[
        datetime | None, typer.Option(parser=moment_of, metavar="TIME", help="Release it then, if nobody has before.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let nothing begin in a conversation: a human takes over.

    What waits stays in line, in order, and goes on growing old; a message call that has begun goes on.

    Example: `envoi hold 1234567890 7000000000000001 --until 2026-12-24T18:00:00+01:00`
    """
    client, whose = Envoi(), recipient_of(recipient)
    client.hold(page, whose, until=until)
    found = client.conversation(page, whose)
    if as_json:
        print_json(asdict(found))
    else:
        print_line(f"held{f' until {until.isoformat()}' if until else ''}; {found.waiting} waiting")


def release(page: PageId, recipient: RecipientArgument, *, as_json: AsJson = False) -> None:
    """End a hold: what waits goes on.

    Not at once: ENVOI_LOSS_BOUND seconds later.

    Example: `envoi release 1234567890 7000000000000001`
    """
    changed = Envoi().release(page, recipient_of(recipient))
    if as_json:
        print_json({"released": changed})
    else:
        print_line("released" if changed else "it was not held")


def held(page: PageId, *, limit: Limit = 1000, as_json: AsJson = False) -> None:
    """List the held conversations of a page, in no order.

    Example: `envoi held 1234567890`
    """
    found = list(islice(Envoi().held(page), limit))
    if as_json:
        print_json({"held": [asdict(one) for one in found]})
    else:
        print_table(
            ("recipient", "since", "until"),
            [(named(one.recipient), one.since, one.until or _RELEASED) for one in found],
        )


def conversation(page: PageId, recipient: RecipientArgument, *, as_json: AsJson = False) -> None:
    """Show what waits in a conversation.

    And whether it is held, or the person has opted out.

    Example: `envoi conversation 1234567890 7000000000000001`
    """
    found = asdict(Envoi().conversation(page, recipient_of(recipient)))
    if as_json:
        print_json(found)
        return
    held_too = found["held_since"] is not None
    until = (found["held_until"] or _RELEASED) if held_too else None
    print_fields({**found, "recipient": named(found["recipient"]), "held_until": until})


def cancel_all(page: PageId, recipient: RecipientArgument, *, as_json: AsJson = False) -> None:
    """Cancel every job of a conversation that has not begun.

    Scheduled ones too; begun is a job whose message call is. A job that a worker holds just now decides before its
    message call; it is named.

    Example: `envoi cancel-all 1234567890 7000000000000001`
    """
    found = Envoi().cancel_all(page, recipient_of(recipient))
    if as_json:
        print_json(asdict(found))
        return
    print_line(f"{found.cancelled} cancelled")
    if found.going_on:
        print_line(f"job {found.going_on} is under way, and may still be sent")
    if found.doubted:
        print_line(f"{found.doubted} behind it may have been sent before Redis restarted; they go on")
