"""How commands say which dead letters they mean, and how they show that they get on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from envoi.cli import completion
from envoi.cli.given import utc_moment_of
from envoi.cli.output import print_json, print_line, warn
from envoi.cli.progress import Progress
from envoi.states import State

if TYPE_CHECKING:
    from envoi.log.letters import Choice  # loads SQLAlchemy
    from envoi.replay import Discard, Replay  # as above

_EVERY = 500  # results between two looks at the clock, as many as are done at once

Jobs = Annotated[list[str] | None, typer.Argument(metavar="JOB", help="Ids of jobs.")]
StateOption = Annotated[
    State | None, typer.Option(metavar="failed|expired|unknown", help="In place of ids: all jobs that ended so.")
]
PageOption = Annotated[
    str | None, typer.Option(metavar="PAGE", autocompletion=completion.pages, help="With --state: only of this page.")
]
SinceOption = Annotated[
    datetime | None,
    typer.Option(
        parser=utc_moment_of, metavar="TIME", help="With --state: that ended then or later (UTC if it says no zone)."
    ),
]
LimitOption = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="With --state: at most so many, oldest first.")
]


def meant(
    jobs: list[str] | None, state: State | None, page: str | None, since: datetime | None, limit: int | None
) -> Sequence[str] | Choice:
    """Which jobs a command means: those named, or all of a state.

    Raises:
        BadParameter: neither is said, or both.
    """
    from envoi.log.letters import DEAD, Choice  # noqa: PLC0415  # loads SQLAlchemy

    if bool(jobs) == (state is not None):
        raise typer.BadParameter("name jobs, or say --state: one of the two")
    if state is None:
        if page or since or limit:
            raise typer.BadParameter("--page, --since and --limit go with --state")
        return jobs or []
    if state not in DEAD:
        raise typer.BadParameter("--state must be failed, expired or unknown")
    return Choice(state, page, since, limit)


def shown(
    results: Iterable[Replay | Discard], name: str, *, total: int, as_json: bool, fields: Mapping[str, str]
) -> None:
    """Print results as they come, or one JSON document at the end; progress between.

    Args:
        results: what became of each job.
        name: of what the command does, for the last line.
        total: how many jobs are meant.
        as_json: one JSON document.
        fields: attributes of a result by the names that they have in JSON.

    Raises:
        Exit: status 1 where a job was refused.
    """
    counts: Counter[str] = Counter()
    documents: list[dict[str, object]] = []
    try:
        for result in _with_progress(results, counts, total):
            if as_json:
                documents.append({title: getattr(result, attribute) for title, attribute in fields.items()})
            elif result.result == "refused":
                warn(f"{result.job_id}: {result.reason}")
            else:
                line = (getattr(result, attribute) for attribute in fields.values() if attribute != "reason")
                print_line(" ".join(str(part) for part in line))
    finally:  # what was done before an error is done
        if as_json:
            print_json({"counts": dict(counts), "jobs": documents})
        elif counts.total() > 1:
            warn(_counted(name, counts))
    if not counts and not as_json:
        warn(f"{name}: no such jobs")
    if counts["refused"]:
        raise typer.Exit(1)


def _with_progress(results: Iterable[Replay | Discard], counts: Counter[str], total: int) -> Iterator[Replay | Discard]:
    with Progress(total) as progress:
        for result in results:
            counts[result.result] += 1
            yield result
            if counts.total() % _EVERY == 0:
                progress.show(counts.total(), said=_words(counts))
        if counts.total() >= _EVERY:
            progress.show(counts.total(), said=_words(counts))


def _counted(name: str, counts: Counter[str]) -> str:
    return f"{name}: {_words(counts)}"


def _words(counts: Counter[str]) -> str:
    return ", ".join(f"{number:,} {word}" for word, number in sorted(counts.items()))
