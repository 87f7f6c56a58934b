"""What a web app does, by hand: send, status, cancel, reschedule. They ask Redis only."""

from __future__ import annotations

import warnings
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from envoi.cli import completion
from envoi.cli.given import message_of, moment_of, recipient_of
from envoi.cli.identifiers import Sender
from envoi.cli.output import AsJson, print_fields, print_json, print_line, warn
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
from envoi.client import Envoi
from envoi.errors import InvalidJob, UnknownJob
from envoi.sendapi.tags import RetiredTag

JobId = Annotated[str, typer.Argument(metavar="JOB", help="A job's id.")]


def send(
    page: Sender,
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
        str | None,
        typer.Option(
            metavar="PLATFORM",
            autocompletion=completion.PLATFORMS,
            help="Whose rules hold: messenger (default) or instagram.",
        ),
    ] = None,
    allow_unknown: AllowUnknown = False,
    key: Annotated[str | None, typer.Option(help="Repeating with the same key enqueues nothing twice.")] = None,
    lane: Annotated[
        str | None, typer.Option(metavar="LANE", autocompletion=completion.LANES, help="replies (default) or bulk.")
    ] = None,
    at: Annotated[datetime | None, typer.Option(parser=moment_of, metavar="TIME", help="Enter the line then.")] = None,
    expires_at: Annotated[
        datetime | None, typer.Option(parser=moment_of, metavar="TIME", help="Do not send it after that.")
    ] = None,
    messaging_type: MessagingType = None,
    tag: Annotated[str | None, typer.Option(metavar="TAG", help="With MESSAGE_TAG, for instance HUMAN_AGENT.")] = None,
    notification_type: NotificationType = None,
    persona_id: PersonaId = None,
    reply_to: Annotated[str | None, typer.Option(metavar="MID", help="The message that is answered.")] = None,
    metadata: Annotated[str | None, typer.Option(help="Comes back in the message's echo.")] = None,
    typing: Typing = None,
    no_typing: NoTyping = False,
    mark_seen: Annotated[bool, typer.Option("--mark-seen", help="Mark the conversation as seen first.")] = False,
    ignore_opt_out: Annotated[
        bool, typer.Option("--ignore-opt-out", help="Send it to a person who has opted out too.")
    ] = False,
    max_attempts: MaxAttempts = None,
    on_unknown: OnUnknown = None,
    on_outcome: OnOutcome = None,
    as_json: AsJson = False,
) -> None:
    """Enqueue one message, and print the job's id.

    A recipient other than by id, and a message other than a text, are the Send API's objects as JSON.

    Example: `envoi send 1234567890 7000000000000001 "Your order is on its way" --key order-77`, or
    `envoi send 1234567890 '{"user_ref": "R-7"}' --message '{"text": "Hello"}'`
    """
    options = only_given(
        {
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
            "typing": typing_of(typing, no_typing=no_typing),
            "mark_seen": mark_seen or None,
            "max_attempts": max_attempts,
            "on_unknown": on_unknown,
            "on_outcome": on_outcome,
            "ignore_opt_out": ignore_opt_out or None,
        }
    )
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

    Example: `envoi status 01M86X3YDD2XQ34SMV5Q0EAHZB`
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

    Example: `envoi cancel 01M86X3YDD2XQ34SMV5Q0EAHZB`
    """
    _show_answer(job, Envoi().cancel(job), as_json=as_json)


def reschedule(
    job: JobId,
    at: Annotated[
        datetime, typer.Argument(parser=moment_of, metavar="AT", help="When it enters its line; with its zone.")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Give a job another time to enter its line.

    Its message call must not have begun. Prints scheduled; queued, when that time has come; pending, when a worker
    holds the job just now and decides before its message call; or too_late, with exit status 1.

    Example: `envoi reschedule 01M86X3YDD2XQ34SMV5Q0EAHZB 2026-12-24T18:00:00+01:00`
    """
    try:
        answer = Envoi().reschedule(job, at)
    except InvalidJob as error:  # the job is as good as it was: only its new time is not
        raise typer.BadParameter("; ".join(one.limit for one in error.problems), param_hint="AT") from None
    _show_answer(job, answer, as_json=as_json)


def _show_answer(job: str, answer: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"id": job, "answer": answer})
    else:
        print_line(answer)
    if answer == "too_late":
        raise typer.Exit(1)
