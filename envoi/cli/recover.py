"""Recovery of a wiped Redis from the log, and of single jobs that Redis has lost."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from envoi.cli.output import AsJson, print_json, print_line, print_table
from envoi.cli.progress import Progress
from envoi.client import open_queue

if TYPE_CHECKING:
    from envoi.recovery.gap import Gap  # loads SQLAlchemy
    from envoi.recovery.recovery import Recovered, Recovery  # as above


def _seconds(value: float | None) -> float | None:
    if value is not None and not (math.isfinite(value) and value >= 0):
        raise typer.BadParameter("must be seconds, 0 or more")
    return value


def recover(
    *,
    lost: Annotated[
        float | None,
        typer.Option(
            callback=_seconds,
            metavar="SECONDS",
            help="The log lacks at most so much before the wipe, if you know better than the milestones in it.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be put back.")] = False,
    missing: Annotated[
        bool,
        typer.Option("--missing", help="Put back single jobs that an open queue has lost, in place of a wiped one."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put back what a wiped Redis lost.

    That is every job in the log without outcome, in order. What may have been sent in moments that the log does not
    know waits for facts, and is not sent again blindly. May be interrupted and run again. Until it is done, sending is
    refused with Recovering.

    Example: `envoi recover --dry-run`
    """
    if missing:
        if lost is not None:
            raise typer.BadParameter("--lost is said of a wiped queue: it does not go with --missing")
        _missing(dry_run=dry_run, as_json=as_json)
        return
    from envoi.cli import log  # noqa: PLC0415  # loads SQLAlchemy
    from envoi.recovery.recovery import Recovery  # noqa: PLC0415  # as above

    progress = Progress()

    def tell(what: str, done: int, of: int) -> None:
        progress.show(done, of or None, said=what, going=of > 0)

    with log.opened() as engine:
        recovery = Recovery(open_queue(), engine, lost=lost, tell=tell)
        if dry_run:
            _show_plan(recovery, as_json=as_json)
            return
        with progress:
            done = recovery.run()
    _show_done(done, recovery.gap, as_json=as_json)


def _show_plan(recovery: Recovery, *, as_json: bool) -> None:
    (jobs, front), gap = recovery.count(), recovery.gap
    if as_json:
        print_json({"jobs": jobs, "waiting_heads_in_doubt": front, **asdict(gap)})
        return
    print_line(f"{jobs} jobs would be put back; the log may lack {gap.lost:.1f} s before the wipe")
    print_line(f"waiting conversations whose next message may have begun in them: {front}")


def _show_done(done: Recovered, gap: Gap, *, as_json: bool) -> None:
    if as_json:
        print_json({**asdict(done), **{f"gap_{name}": value for name, value in asdict(gap).items()}})
        return
    rate = done.jobs / done.seconds if done.seconds else 0.0
    print_line(f"{done.jobs} jobs put back in {done.seconds:.1f} s ({rate:,.0f}/s), keys of settled jobs: {done.keys}")
    print_line(f"the log lacked at most {gap.lost:.1f} s before the wipe; {done.doubted} conversations wait for facts")
    if done.sent:
        print_line(f"{done.sent} jobs were found sent by answers that came after the wipe")
    print_line("sending goes on; a scheduler opens the queue to workers")


def _missing(*, dry_run: bool, as_json: bool) -> None:
    from envoi.cli import log  # noqa: PLC0415  # loads SQLAlchemy
    from envoi.recovery.missing import Found, Missing  # noqa: PLC0415  # as above

    queue = open_queue()
    age = queue.settings.lease + queue.settings.settle_wait
    with log.opened() as engine:
        search = Missing(queue, engine, age)
        found = [Found(job, "missing") for job in search.find()] if dry_run else list(search.put_back())
    rows = [(one.job.id, one.job.state.value, one.job.page, one.job.recipient, one.now) for one in found]
    names = ("id", "state", "page_id", "recipient", "now")
    if as_json:
        print_json({"older_than": age, "jobs": [dict(zip(names, row, strict=True)) for row in rows]})
    elif rows:
        print_table(names, rows)
    else:
        print_line(f"no job is missing among those that were enqueued more than {age:.0f} s ago")
