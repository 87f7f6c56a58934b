"""``envoi action``: one sender action, by hand. It asks Redis only."""

from __future__ import annotations

from typing import Annotated

import typer

from envoi.cli import completion
from envoi.cli.identifiers import Sender
from envoi.cli.output import AsJson, print_json, print_line
from envoi.client import Envoi


def action(
    page: Sender,
    recipient: Annotated[str, typer.Argument(metavar="RECIPIENT", help="The person's page-scoped id.")],
    name: Annotated[
        str,
        typer.Argument(
            metavar="ACTION",
            autocompletion=completion.ACTIONS,
            help="mark_seen, typing_on, typing_off, react or unreact.",
        ),
    ],
    *,
    message_id: Annotated[
        str | None, typer.Option(metavar="MID", help="With react and unreact: the message that is meant.")
    ] = None,
    reaction: Annotated[str | None, typer.Option(metavar="EMOJI", help="With react.")] = None,
    platform: Annotated[
        str | None,
        typer.Option(metavar="PLATFORM", autocompletion=completion.PLATFORMS, help="messenger (default) or instagram."),
    ] = None,
    key: Annotated[str | None, typer.Option(help="Repeating with the same key enqueues nothing twice.")] = None,
    as_json: AsJson = False,
) -> None:
    """Enqueue one sender action, and print the job's id.

    It is a courtesy: made once, after every earlier job to the same person.

    Example: `envoi action 1234567890 7000000000000001 mark_seen`
    """
    given = {"message_id": message_id, "reaction": reaction, "platform": platform, "key": key}
    options = {option: value for option, value in given.items() if value is not None}
    job_id = Envoi().action(page, recipient, name, **options)
    if as_json:
        print_json({"id": job_id})
    else:
        print_line(job_id)
