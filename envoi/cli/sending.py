"""What a web app does, by hand: send, status, cancel. They ask Redis only."""

from __future__ import annotations

import warnings
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from envoi.cli.given import message_of, recipient_of
from envoi.cli.given import moment_of as _moment
from envoi.cli.output import AsJson, print_fields, print_json, print_line, warn
from envoi.client import Envoi
from envoi.errors import UnknownJob
from envoi.sendapi.tags import RetiredTag

JobId = Annotated[str, typer.Argument(metavar="JOB", help="A job's id.")]


def _typing(text: str) -> str | float:
    try:
        return text if text == "auto" else float(text)
    except ValueError:
        raise typer.BadParameter("--typing must be auto, or seconds") from None


def send(
    page: Annotated[str, typer.Argument(metavar="PAGE", help="The sender's page id.")],
    recipient: Annotated[
        str, typer.Argument(metavar="RECIPIENT", help="The person's page-scoped id, or the Send API's object as JSON.")
    ],
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT", help="The message; after `--` if it begins with a dash.")
    ] = None,
    *,
    message: Annotated[
        str | None,
        typer.Option(metavar="JSON|-", help="In place of TEXT: the Send API's message object; - reads standard input."),
    ] = None,
    platform: Annotated[
        str | None, typer.Option(metavar="PLATFORM", help="Whose rules hold: messenger (default) or instagram.")
    ] = None,
    allow_unknown: Annotated[
        bool, typer.Option("--allow-unknown", help="Let a template of a type that Envoi does not know pass unchecked.")
    ] = False,
    key: Annotated[str | None, typer.Option(help="Repeating with the same key enqueues nothing twice.")] = None,
    lane: Annotated[str | None, typer.Option(metavar="LANE", help="replies (default) or bulk.")] = None,
    at: Annotated[datetime | None, typer.Option(parser=_moment, metavar="TIME", help="Enter the line then.")] = None,
    expires_at: Annotated[
        datetime | None, typer.Option(parser=_moment, metavar="TIME", help="Do not send it after that.")
    ] = None,
    messaging_type: Annotated[
        str | None, typer.Option(metavar="TYPE", help="RESPONSE (default), UPDATE, MESSAGE_TAG or UTILITY.")
    ] = None,
    tag: Annotated[str | None, typer.Option(metavar="TAG", help="With MESSAGE_TAG, for instance HUMAN_AGENT.")] = None,
    notification_type: Annotated[
        str | None, typer.Option(metavar="TYPE", help="REGULAR, SILENT_PUSH or NO_PUSH.")
    ] = None,
    persona_id: Annotated[str | None, typer.Option(metavar="ID", help="Send as this persona.")] = None,
    reply_to: Annotated[str | None, typer.Option(metavar="MID", help="The message that is answered.")] = None,
    metadata: Annotated[str | None, typer.Option(help="Comes back in the message's echo.")] = None,
    typing: Annotated[
        str | None, typer.Option(metavar="SECONDS|auto", help="How long the typing bubble shows before.")
    ] = None,
    no_typing: Annotated[bool, typer.Option("--no-typing", help="Leave the typing calls out.")] = False,
    mark_seen: Annotated[bool, typer.Option("--mark-seen", help="Mark the conversation as seen first.")] = False,
    ignore_opt_out: Annotated[
        bool, typer.Option("--ignore-opt-out", help="Send it to a person who has opted out too.")
    ] = False,
    max_attempts: Annotated[int | None, typer.Option(metavar="N", help="Attempts, the first included.")] = None,
    on_unknown: Annotated[
        str | None,
        typer.Option(
            metavar="stop|resend", help="If nobody can say whether it was sent: stop (default), or send again."
        ),
    ] = None,
    on_outcome: Annotated[
        str | None, typer.Option(metavar="WHERE", help="Whom to tell the outcome: stream:NAME or celery:TASK@QUEUE.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Enqueue one message, and print the job's id.

    `envoi send PAGE PSID hello`, or `envoi send PAGE '{"user_ref": "REF"}' --message '{"attachment": …}'`.
    """
    if no_typing and typing is not None:
        raise typer.BadParameter("--typing and --no-typing exclude each other")
    given = {
        "platform": platform,
        "allow_unknown": allow_unknown or None,
        "key": key,
        "lane": lane,
        "at": at,
        "expires_at": expires_at,
        "messaging_type": messaging_type,
        "tag": tag,
        "notification_type": notification_type,
        "persona_id": persona_id,
        "reply_to": None if reply_to is None else {"mid": reply_to},
        "typing": False if no_typing else None if typing is None else _typing(typing),
        "mark_seen": mark_seen or None,
        "max_attempts": max_attempts,
        "ignore_opt_out": ignore_opt_out or None,
        "on_unknown": on_unknown,
        "on_outcome": on_outcome,
    }
    options = {name: value for name, value in given.items() if value is not None}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RetiredTag)
        job_id = Envoi().send(page, recipient_of(recipient), _content(text, message, metadata), **options)
    for warning in caught:
        warn(str(warning.message))
    if as_json:
        print_json({"id": job_id})
    else:
        print_line(job_id)


def _content(text: str | None, message: str | None, metadata: str | None) -> str | dict[str, Any]:
    """The message: from TEXT, with the metadata if any, or from JSON."""
    if (text is None) == (message is None):
        raise typer.BadParameter("give either TEXT or --message")
    if message is None:
        return str(text) if metadata is None else {"text": text, "metadata": metadata}
    if metadata is not None:
        raise typer.BadParameter("--metadata goes with TEXT: with --message, put it into the JSON")
    return message_of(message)


def status(job: JobId, *, as_json: AsJson = False) -> None:
    """Show where a job is, as Redis knows it.

    `envoi job` shows what the log knows of it.
    """
    try:
        found = asdict(Envoi().status(job))
    except UnknownJob as error:
        raise UnknownJob(f"{error}; `envoi job` looks in the log") from None
    if as_json:
        print_json(found)
        return
    why = found.pop("error") or {}
    print_fields({**found, "error": why.get("message"), "code": why.get("code"), "subcode": why.get("subcode")})


def cancel(job: JobId, *, as_json: AsJson = False) -> None:
    """Cancel a job whose message call has not begun.

    Prints cancelled; or pending, when a worker holds the job just now and decides before its message call; or
    too_late, with exit status 1.
    """
    answer = Envoi().cancel(job)
    if as_json:
        print_json({"id": job, "answer": answer})
    else:
        print_line(answer)
    if answer == "too_late":
        raise typer.Exit(1)
