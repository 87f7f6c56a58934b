"""How commands say which dead letters they mean, and how they show that they get on."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Protocol, TypeVar

import typer

from envoi.cli.given import utc_moment_of
from envoi.cli.output import print_json, print_line, warn
from envoi.states import State

if TYPE_CHECKING:
    from envoi.log.letters import Choice  # loads SQLAlchemy

_EVERY = 500  # results between two signs of life

Jobs = Annotated[list[str] | None, typer.Argument(metavar="[JOB]...", help="Ids of jobs.")]


StateOption = Annotated[State | None, typer.Option(help="All jobs that ended so: failed, expired or unknown.")]
PageOption = Annotated[str | None, typer.Option(metavar="PAGE", help="With --state: only of this page.")]
SinceOption = Annotated[
    datetime | None,
    typer.Option(
        parser=utc_moment_of, metavar="TIME", help="With --state: that ended then or later (UTC if it says no zone)."
    ),
]
LimitOption = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="With --state: at most so many, oldest first.")
]


class Result(Protocol):
    """What became of one job."""

    @property
    def job_id(self) -> str:
        """Which job."""

    @property
    def result(self) -> str:
        """A word: ``refused`` where nothing was done."""

    @property
    def reason(self) -> str | None:
        """Why it was refused."""


_Result = TypeVar("_Result", bound=Result)


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


def shown(results: Iterable[_Result], name: str, *, as_json: bool, fields: Mapping[str, str]) -> None:
    """Print results as they come, or one JSON document at the end; on a terminal, signs of life between.

    Args:
        results: what became of each job.
        name: of what the command does, for the signs of life.
        as_json: one JSON document.
        fields: attributes of a result by the names that they have in JSON.

    Raises:
        Exit: status 1 where a job was refused.
    """
    counts: Counter[str] = Counter()
    documents: list[dict[str, object]] = []
    try:
        for result in _with_signs(results, counts, name):
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
        elif sum(counts.values()) != 1:
            warn(_counted(name, counts))
    if counts["refused"]:
        raise typer.Exit(1)


def _with_signs(results: Iterable[_Result], counts: Counter[str], name: str) -> Iterator[_Result]:
    for result in results:
        counts[result.result] += 1
        yield result
        if sum(counts.values()) % _EVERY == 0 and sys.stderr.isatty():
            warn(f"{_counted(name, counts)} so far")


def _counted(name: str, counts: Counter[str]) -> str:
    told = ", ".join(f"{number} {word}" for word, number in sorted(counts.items()))
    return f"{name}: {told or 'no such jobs'}"
