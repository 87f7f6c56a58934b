"""What commands print: a table for people, or one JSON document for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from envoi.cli.failures import plain
from envoi.cli.tables import show_table

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def print_json(document: Mapping[str, object] | Sequence[Mapping[str, object]]) -> None:
    """One JSON document. Times are ISO 8601 in UTC; what is unknown is null."""
    print_line(json.dumps(document, indent=2, default=_plain_value))


def print_line(text: str) -> None:
    """One line as it stands."""
    print(text)  # noqa: T201  # a command's own output


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table, of values as they come: times in UTC, and a dash for what is unknown."""
    show_table(columns, [[_cell(value) for value in row] for row in rows])


def print_fields(fields: Mapping[str, object]) -> None:
    """Names and values, one a line; what is unknown is left out."""
    print_table(("field", "value"), [(name, value) for name, value in fields.items() if value is not None])


def warn(text: str) -> None:
    """One line for the operator, on standard error."""
    print(f"envoi: {plain(text)}", file=sys.stderr)  # noqa: T201  # a command's own output


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds: ``2026-01-31T12:00:00.000000Z``."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _plain_value(value: object) -> str:
    if isinstance(value, datetime):
        return iso(value)
    raise TypeError(f"{type(value).__name__} has no JSON form here")


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return plain(f"{value:g}" if isinstance(value, float) else str(value))
