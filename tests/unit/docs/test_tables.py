"""Every table of the documents has as many cells in each row as in its head: a forge drops what is more."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.docs.test_links import DOCUMENTS, ROOT

_FENCE = re.compile(r"^ {0,3}(```|~~~).*?^ {0,3}\1\s*$", re.DOTALL | re.MULTILINE)
_TABLE = re.compile(r"^\|.*\|\n\|[ :|-]+\|\n(?:\|.*\|\n?)*", re.MULTILINE)
_BAR = re.compile(r"(?<!\\)\|")  # one within code counts as well, unless it is escaped


def uneven(text: str) -> list[str]:
    """Rows with another number of cells than their table's head."""
    found = []
    for table in _TABLE.findall(_FENCE.sub("", text)):
        head, *rows = table.splitlines()
        found += [row for row in rows if len(_BAR.findall(row)) != len(_BAR.findall(head))]
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_row_of_a_table_fits_its_head(document: Path) -> None:
    assert uneven(document.read_text()) == []


def test_a_row_that_would_be_cut_is_found() -> None:
    text = "| a | b |\n|---|---|\n| `x\\|y` | 1 |\n| `x|y` | 2 |\n| 3 |\n\n```\n| a |\n|---|\n| b | c |\n```\n"
    assert uneven(text) == ["| `x|y` | 2 |", "| 3 |"]
