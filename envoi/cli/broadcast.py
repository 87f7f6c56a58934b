"""``envoi broadcast``: one message to many people."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from envoi.cli import completion
from envoi.cli.failures import INTERRUPTED
from envoi.cli.given import object_of, utc_moment_of
from envoi.cli.identifiers import Sender
from envoi.cli.output import AsJson, print_json, print_line, warn
from envoi.cli.progress import Progress
from envoi.cli.send_options import (
    AllowUnknown,
    MaxAttempts,
    MessagingType,
    NotificationType,
    NoTyping,
    OnOutcome,
    OnUnknown,
    PersonaId,
    Typing,
    only_given,
    typing_of,
)
from envoi.sendapi.tags import RetiredTag
from envoi.settings import settings

_MESSAGE_LONGEST = 1_048_576  # bytes


def broadcast(
    page: Sender,
    *,
    recipients: Annotated[
        str,
        typer.Option(
            metavar="FILE|-",
            help="One recipient a line: a page-scoped id, or the Send API's object as JSON; - reads standard input.",
        ),
    ],
    text: Annotated[str | None, typer.Option(metavar="TEXT", help="The message.")] = None,
    message: Annotated[
        Path | None, typer.Option(metavar="FILE", help="In place of --text: a file with the Send API's message object.")
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="The same key again is the same broadcast: repeating the command is safe.")
    ] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out lines that are wrong; else one of them refuses all.")
    ] = False,
    wait: Annotated[
        bool,
        typer.Option("--wait/--no-wait", help="Show how it gets on, until it has ended; Ctrl-C leaves it running."),
    ] = True,
    at: Annotated[datetime | None, typer.Option(parser=utc_moment_of, metavar="TIME", help="Begin then.")] = None,
    expires_at: Annotated[
        datetime | None, typer.Option(parser=utc_moment_of, metavar="TIME", help="Send nothing of it after that.")
    ] = None,
    platform: Annotated[
        str | None,
        typer.Option(
            metavar="PLATFORM",
            autocompletion=completion.PLATFORMS,
            help="Whose rules hold: messenger or instagram; else the page's.",
        ),
    ] = None,
    allow_unknown: AllowUnknown = False,
    messaging_type: MessagingType = None,
    tag: Annotated[str | None, typer.Option(metavar="TAG", help="With MESSAGE_TAG; never HUMAN_AGENT.")] = None,
    notification_type: NotificationType = None,
    persona_id: PersonaId = None,
    typing: Typing = None,
    no_typing: NoTyping = False,
    max_attempts: MaxAttempts = None,
    on_unknown: OnUnknown = None,
    on_outcome: OnOutcome = None,
    as_json: AsJson = False,
) -> None:
    """Send one message to many people, each once.

    They wait in the lane bulk. Prints the broadcast's id, and, once it has ended, what became of everybody. All
    recipients are checked first; then a scheduler enqueues them, a little ahead of the page's pace. `envoi broadcasts`
    pauses, resumes and cancels it.

    Example: `envoi broadcast 1234567890 --recipients people.txt --text "Open on Sunday"`
    """
    options = only_given(
        {
            "at": at,
            "expires_at": expires_at,
            "platform": platform,
            "allow_unknown": allow_unknown or None,
            "messaging_type": messaging_type,
            "tag": tag,
            "notification_type": notification_type,
            "persona_id": persona_id,
            "typing": typing_of(typing, no_typing=no_typing),
            "max_attempts": max_attempts,
            "on_unknown": on_unknown,
            "on_outcome": on_outcome,
        }
    )
    said = (page, _content(text, message), options)
    broadcast_id = _loaded(said, recipients, key=key, skip_bad=skip_bad)
    if not as_json:
        print_line(broadcast_id)
        sys.stdout.flush()  # who reads a pipe may want to pause it
    if wait:
        from envoi.cli.broadcast_progress import follow  # noqa: PLC0415  # loads SQLAlchemy

        follow(broadcast_id, as_json=as_json)
    elif as_json:
        print_json({"id": broadcast_id})


def _loaded(said: tuple[str, Any, dict[str, Any]], recipients: str, *, key: str | None, skip_bad: bool) -> str:
    from envoi.broadcast.making import make  # noqa: PLC0415  # loads SQLAlchemy
    from envoi.broadcast.recipients import read_lines  # noqa: PLC0415  # as above

    with _opened(recipients) as file, warnings.catch_warnings(record=True) as caught, Progress() as progress:
        size = _size(file)

        def tell(read: int) -> None:
            total = round(read * size / file.tell()) if size else None  # by the bytes that they took
            progress.show(read, total, said="recipients are read")

        warnings.simplefilter("always", RetiredTag)
        try:
            found = make(settings(), said, read_lines(file), key=key, skip_bad=skip_bad, unit="line", tell=tell)
        except KeyboardInterrupt:
            warn("interrupted before all recipients were read: nobody is sent anything")
            raise typer.Exit(INTERRUPTED) from None
    for text in sorted({str(warning.message) for warning in caught}):
        warn(text)
    if not found.fresh:
        warn(f"broadcast {found.id} has this key already, so the recipients were not read; it goes on")
    else:
        left_out = {"named more than once": found.duplicates, "wrong and left out": found.skipped}
        if told := [f"{why}: {lines:,}" for why, lines in left_out.items() if lines]:
            warn(f"lines {'; '.join(told)}")
    return found.id


def _size(file: BinaryIO) -> int:
    """Bytes of a file; 0 of a pipe, which does not know."""
    if not file.seekable():
        return 0
    here = file.tell()
    size = file.seek(0, os.SEEK_END)
    file.seek(here)
    return size


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        if sys.stdin is None:
            raise typer.BadParameter("there is no standard input", param_hint="--recipients")
        yield sys.stdin.buffer
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115  # closed below; only opening it is our caller's mistake
    except OSError as error:
        raise typer.BadParameter(f"cannot be read: {error.strerror}", param_hint="--recipients") from None
    with file:
        yield file


def _content(text: str | None, message: Path | None) -> str | dict[str, Any]:
    if (text is None) == (message is None):
        raise typer.BadParameter("give either --text or --message")
    if message is None:
        return str(text)
    try:
        with message.open("rb") as file:
            found = file.read(_MESSAGE_LONGEST + 1)
        if len(found) > _MESSAGE_LONGEST:
            raise typer.BadParameter(f"has more than {_MESSAGE_LONGEST} bytes", param_hint="--message")
        return object_of(found.decode("utf-8-sig"), "--message")
    except OSError as error:
        raise typer.BadParameter(f"cannot be read: {error.strerror}", param_hint="--message") from None
    except UnicodeDecodeError:
        raise typer.BadParameter("is not UTF-8", param_hint="--message") from None
