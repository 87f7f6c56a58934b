"""The metrics that there are, and the tables in docs/metrics.md."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from envoi.cli.output import AsJson, print_json, print_line, print_table
from envoi.metrics.families import ALL, Family

_PARTS = {"both": "Workers and schedulers", "worker": "Workers", "scheduler": "Schedulers"}


def show_metrics(
    *,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the tables of docs/metrics.md.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the metrics that workers and schedulers show.

    Example: `envoi metrics`
    """
    if markdown:
        print_line(metrics_tables().removesuffix("\n"))
    elif as_json:
        print_json({"metrics": [asdict(family) for family in ALL]})
    else:
        columns = ("metric", "kind", "labels", "of", "meaning")
        print_table(columns, [(one.name, one.kind, ", ".join(one.labels), one.of, one.meaning) for one in ALL])


def metrics_tables() -> str:
    """The tables of docs/metrics.md, one for each kind of process."""
    return "\n".join(_table(title, [one for one in ALL if one.of == of]) for of, title in _PARTS.items())


def _table(title: str, found: list[Family]) -> str:
    rows = [
        f"| `{one.name}` | {one.kind} | {', '.join(f'`{label}`' for label in one.labels) or 'none'} | {one.meaning} |\n"
        for one in found
    ]
    return f"### {title}\n\n| metric | kind | labels | meaning |\n|---|---|---|---|\n{''.join(rows)}"
