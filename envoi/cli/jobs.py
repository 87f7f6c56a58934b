"""Jobs as the log knows them. They ask SQL only, and find jobs that Redis has long forgotten."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from envoi.cli.failures import NotHere
from envoi.cli.output import AsJson, print_fields, print_json, print_line, print_table
from envoi.states import State

_COLUMNS = ("id", "state", "page_id", "recipient", "lane", "attempts", "message_id", "enqueued_at", "error_message")
_CALL_COLUMNS = ("id", "attempt", "step", "started_at", "duration_ms", "http_status", "verdict", "error_message")


def show_jobs(
    *,
    state: Annotated[State | None, typer.Option(help="Only jobs in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 100,
    discarded: Annotated[bool, typer.Option("--discarded", help="Discarded ones too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the newest jobs in the log.

    Newest first, without their messages.

    Example: `envoi jobs --state failed --limit 20`
    """
    from envoi.cli import log  # noqa: PLC0415  # loads SQLAlchemy

    with log.opened() as engine:
        found = [asdict(job) for job in log.queries.jobs(engine, state=state, limit=limit, discarded=discarded)]
    for job in found:
        del job["payload"]
    if as_json:
        print_json({"jobs": found})
    else:
        print_table(_COLUMNS, [[job[name] for name in _COLUMNS] for job in found])


def show_job(
    job: Annotated[str, typer.Argument(metavar="JOB", help="A job's id.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show one job in the log, with all its calls.

    Example: `envoi job 01M86X3YDD2XQ34SMV5Q0EAHZB`
    """
    from envoi.cli import log  # noqa: PLC0415  # loads SQLAlchemy

    with log.opened() as engine:
        found = log.queries.job(engine, job)
        calls = [asdict(call) for call in log.queries.calls_of(engine, job)]
    if found is None:
        raise NotHere(f"the log has no job {job:.60}; `envoi status` asks Redis, which knows it a moment earlier")
    if as_json:
        print_json({"job": asdict(found), "calls": calls})
        return
    fields = asdict(found)
    payload = fields.pop("payload") or {}
    print_fields({**fields, "action": payload.get("sender_action"), "text": payload.get("message", {}).get("text")})
    print_line("")
    print_table(_CALL_COLUMNS, [[call[name] for name in _CALL_COLUMNS] for call in calls])
