"""What the demonstration shows at its end: a table of all jobs and one line of verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from demo.comparison import Logged
from demo.producer import Enqueued

_COLOURS = {"sent": "green", "failed": "red", "unknown": "red", "expired": "red", "retrying": "yellow"}


def table(enqueued: Sequence[Enqueued], log: Mapping[str, Logged]) -> Table:
    """One row a job, in the order of enqueueing."""
    drawn = Table(title="read back from the SQL log", title_justify="left", header_style="bold")
    for heading in ("job", "recipient", "state"):
        drawn.add_column(heading, no_wrap=True)
    drawn.add_column("message id", overflow="fold")
    drawn.add_column("attempts", justify="right")
    drawn.add_column("send → accepted", justify="right")
    for job in enqueued:
        row = log.get(job.job_id)
        who = f"{job.recipient} {job.name}"
        if row is None:
            drawn.add_row(job.job_id, who, "[red]not in the log[/red]", "", "", "")
            continue
        colour = _COLOURS.get(row.state, "default")
        took = f"{row.sent_at.timestamp() - job.at:.3f} s" if row.sent_at else ""
        attempts = f"[yellow]{row.attempts}[/yellow]" if row.attempts > 1 else str(row.attempts)
        drawn.add_row(job.job_id, who, f"[{colour}]{row.state}[/{colour}]", row.message_id or "", attempts, took)
    return drawn


def show(console: Console, enqueued: Sequence[Enqueued], log: Mapping[str, Logged], found: Sequence[str]) -> None:
    """Print the table, then what differs, then the verdict."""
    drawn = table(enqueued, log)
    if not console.is_terminal:  # a log takes lines of any length, and is no good with ids cut short
        console.width = max(
            console.width, console.measure(drawn, options=console.options.update(max_width=1000)).maximum
        )
    console.print(drawn)
    for difference in found:
        console.print(f"[red]✗[/red] {difference}", soft_wrap=True)
    people = len({job.recipient for job in enqueued})
    retried = sum(row.attempts > 1 for row in log.values())
    if found:
        console.print(f"[bold red]NOT as promised:[/bold red] {len(found)} differences", soft_wrap=True)
    else:
        console.print(
            f"[bold green]As promised:[/bold green] {len(enqueued)} messages to {people} people, each delivered exactly"
            f" once and in order, {retried} of them after a retry; the log and the sandbox's ledger agree.",
            soft_wrap=True,
        )
