"""Send what was not sent: new jobs in place of dead ones."""

from __future__ import annotations

import warnings
from typing import Annotated

import typer

from envoi.cli.letters import Jobs, LimitOption, PageOption, SinceOption, StateOption, meant, shown
from envoi.cli.output import AsJson
from envoi.sendapi.tags import RetiredTag
from envoi.states import State


def replay(
    jobs: Jobs = None,
    *,
    state: StateOption = None,
    page: PageOption = None,
    since: SinceOption = None,
    limit: LimitOption = None,
    again: Annotated[bool, typer.Option("--again", help="Also what was replayed before, once more.")] = False,
    unknown: Annotated[
        bool, typer.Option("--unknown", help="Also jobs that ended unknown: the person may get those twice.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Enqueue failed and expired jobs anew, each as a new job.

    Prints each job, `enqueued` or `already`, and the id of the new job. Recipient, message and options are
    the old job's; `at` and `expires_at` are dropped. After an error, the same command goes on where it ended.

    Example: `envoi replay --state failed --since 2026-11-26T08:00:00Z`
    """
    from envoi.replay import open_dead_letters  # noqa: PLC0415  # loads SQLAlchemy

    chosen = meant(jobs, state, page, since, limit)
    if state is State.UNKNOWN and not unknown:
        raise typer.BadParameter("jobs that ended unknown may have been sent: say --unknown too if that does no harm")
    fields = {"job": "job_id", "result": "result", "replay": "replay_id", "reason": "reason"}
    with warnings.catch_warnings(), open_dead_letters() as letters:
        warnings.simplefilter("ignore", RetiredTag)  # it was told when the old job was enqueued
        replays = letters.replay(chosen, again=again, unknown=unknown)
        total = letters.count(chosen, again=again)
        shown(replays, "replay", total=total, as_json=as_json, fields=fields)
