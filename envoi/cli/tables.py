"""Tables for people: as wide as need be in a pipe, within the terminal's width at one, in blocks where it is narrow."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

_GAP = 2  # columns between two cells
_NARROWEST = 24  # columns that a folded cell needs to be read
_STYLES = {
    "sent": "green",
    "ok": "green",
    "sends": "green",
    "Accepted": "green",
    "failed": "red",
    "bad": "red",
    "Refused": "red",
    "unknown": "red",
    "Unknown": "red",
    "expired": "yellow",
    "settling": "yellow",
    "retrying": "yellow",
    "warn": "yellow",
    "paused": "yellow",
    "held": "yellow",
    "slowed": "yellow",
    "Throttled": "yellow",
    "TryLater": "yellow",
    "cancelled": "dim",
}
_STYLED = {"state", "verdict", "outcome"}  # columns whose words have a colour


def show_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on standard output.

    A terminal that is too narrow gets one column folded, of two the second, else the widest; where that is not enough,
    each row becomes a block with a line a field.

    Args:
        columns: their names.
        rows: cells, fit for a terminal.
    """
    console = Console(file=sys.stdout, highlight=False)
    widths = [max([len(name), *(Text(row[number]).cell_len for row in rows)]) for number, name in enumerate(columns)]
    folded = 1 if len(columns) == 2 else widths.index(max(widths))  # noqa: PLR2004  # a name and its value
    natural = sum(widths) + _GAP * (len(widths) - 1)
    if not sys.stdout.isatty():
        console.width = max(natural, 1)  # nothing is folded where a program reads
    if natural - widths[folded] + min(_NARROWEST, widths[folded]) <= console.width:
        console.print(_table(columns, rows, folded=folded))
        return
    for number, row in enumerate(rows):
        if number:
            console.print()
        console.print(_block(columns, row))


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], folded: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, name in enumerate(columns):
        table.add_column(name, no_wrap=number != folded, overflow="fold")
    for row in rows:
        table.add_row(*(_styled(name, cell) for name, cell in zip(columns, row, strict=True)))
    return table


def _block(columns: Sequence[str], row: Sequence[str]) -> Table:
    block = Table(box=None, pad_edge=False, show_header=False)
    block.add_column(style="bold", no_wrap=True)
    block.add_column(overflow="fold")
    for name, cell in zip(columns, row, strict=True):
        block.add_row(Text(name), _styled(name, cell))
    return block


def _styled(column: str, cell: str) -> Text:
    return Text(cell, _STYLES.get(cell, "") if column in _STYLED else "")
