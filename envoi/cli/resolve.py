"""An operator's word on a message that nobody answered for."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from envoi.cli.output import AsJson, print_json, print_line
from envoi.client import Envoi


class Outcome(StrEnum):
    """What an operator may say."""

    SENT = "sent"
    NOT_SENT = "not-sent"


def resolve(
    job: Annotated[str, typer.Argument(metavar="JOB", help="The id of a job that is settling or unknown.")],
    outcome: Annotated[Outcome, typer.Argument(metavar="sent|not-sent", help="What became of its message.")],
    *,
    message_id: Annotated[str | None, typer.Option(metavar="M", help="With sent: Meta's id of the message.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what became of a message that nobody answered for.

    Prints the job's state. `envoi jobs --state settling` and `envoi jobs --state unknown` list them. After not-sent the
    next attempt follows.

    Example: `envoi resolve 01M86X3YDD2XQ34SMV5Q0EAHZB not-sent`
    """
    if message_id is not None and outcome is Outcome.NOT_SENT:
        raise typer.BadParameter("--message-id goes with sent")
    found = Envoi().resolve(job, "sent" if outcome is Outcome.SENT else "not-sent", message_id)
    if as_json:
        print_json(asdict(found))
    else:
        print_line(found.state)
