"""The Send API's parameters and the delivery options that ``envoi send`` and ``envoi broadcast`` share."""

from __future__ import annotations

from typing import Annotated

import typer

from envoi.cli import completion

AllowUnknown = Annotated[
    bool, typer.Option("--allow-unknown", help="Let a template of a type that Envoi does not know pass unchecked.")
]
MessagingType = Annotated[
    str | None,
    typer.Option(
        metavar="TYPE",
        autocompletion=completion.MESSAGING_TYPES,
        help="RESPONSE (default), UPDATE, MESSAGE_TAG or UTILITY.",
    ),
]
NotificationType = Annotated[
    str | None,
    typer.Option(metavar="TYPE", autocompletion=completion.NOTIFICATION_TYPES, help="REGULAR, SILENT_PUSH or NO_PUSH."),
]
PersonaId = Annotated[str | None, typer.Option(metavar="ID", help="Send as this persona.")]
Typing = Annotated[str | None, typer.Option(metavar="SECONDS|auto", help="How long the typing bubble shows before.")]
NoTyping = Annotated[bool, typer.Option("--no-typing", help="Leave the typing calls out.")]
MaxAttempts = Annotated[int | None, typer.Option(metavar="N", help="Attempts, the first included.")]
OnUnknown = Annotated[
    str | None,
    typer.Option(
        metavar="stop|resend",
        autocompletion=completion.ON_UNKNOWN,
        help="If nobody can say whether it was sent: stop (default), or send again.",
    ),
]
OnOutcome = Annotated[
    str | None, typer.Option(metavar="WHERE", help="Whom to tell the outcome: stream:NAME or celery:TASK@QUEUE.")
]


def typing_of(typing: str | None, *, no_typing: bool) -> bool | str | float | None:
    """The option ``typing`` of a job; None: not given.

    Raises:
        typer.BadParameter: both options are given, or the time is neither ``auto`` nor a number.
    """
    if no_typing and typing is not None:
        raise typer.BadParameter("--typing and --no-typing exclude each other")
    if typing is None:
        return False if no_typing else None
    try:
        return typing if typing == "auto" else float(typing)
    except ValueError:
        raise typer.BadParameter("--typing must be auto, or seconds") from None


def only_given(options: dict[str, object]) -> dict[str, object]:
    """The options that were given: whoever takes them has defaults for the rest."""
    return {name: value for name, value in options.items() if value is not None}
