from __future__ import annotations

import io
import re
import sys

import pytest

from envoi.cli.output import print_table

COLUMNS = ("id", "state", "page_id", "recipient", "error_message")
ROWS = [
    ("01M86X3YDD2XQ34SMV5Q0EAHZB", "sent", "100", "7000000000000001", None),
    ("01M86X3YDD2XQ34SMV5Q0EAHZC", "failed", "100", "7000000000000002", "No matching user found, and some more words"),
]
CELLS = {str(cell) for row in ROWS for cell in row if cell is not None}
COLOUR = re.compile(r"\x1b\[(?:\d+;)*3[0-7]")


class Terminal(io.StringIO):
    """Standard output at a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def printed(monkeypatch: pytest.MonkeyPatch, out: io.StringIO, width: int = 80) -> list[str]:
    """The table's lines, without their ends' blanks."""
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(sys, "stdout", out)
    print_table(COLUMNS, ROWS)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def bare(lines: list[str]) -> list[str]:
    """Lines without what steers a terminal."""
    return [re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip() for line in lines]


def test_a_pipe_gets_one_plain_line_a_row_however_narrow_the_terminal_is(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(monkeypatch, io.StringIO(), width=40)
    assert len(lines) == 1 + len(ROWS)
    assert "\x1b" not in "".join(lines)
    assert lines[0].split() == list(COLUMNS)
    assert lines[1].split() == [*(str(cell) for cell in ROWS[0][:4]), "-"]


def test_a_wide_terminal_gets_one_line_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(printed(monkeypatch, Terminal(), width=140)) == 1 + len(ROWS)


def test_a_narrower_one_gets_its_widest_column_folded_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = bare(printed(monkeypatch, Terminal(), width=96))
    assert max(map(len, lines)) <= 96
    assert len(lines) == 1 + len(ROWS) + 1
    for cell in CELLS - {ROWS[1][4]}:
        assert any(cell in line for line in lines)
    assert "No matching user found," in lines[2]
    assert lines[3].strip() in str(ROWS[1][4]).partition(", ")[2]


def test_a_narrow_one_gets_a_block_a_row_that_breaks_nothing_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = bare(printed(monkeypatch, Terminal(), width=44))
    assert max(map(len, lines)) <= 44
    assert lines[0].split() == ["id", "01M86X3YDD2XQ34SMV5Q0EAHZB"]
    assert lines[4].split() == ["error_message", "-"]
    assert lines[5] == ""
    assert [line.split()[0] for line in lines[6:11]] == list(COLUMNS)


def test_states_have_colours_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(monkeypatch, Terminal(), width=140)
    assert "\x1b[32msent " in lines[1]
    assert "\x1b[31mfailed" in lines[2]


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_who_wants_no_colours_gets_none(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    assert not COLOUR.search("".join(printed(monkeypatch, Terminal(), width=140)))


def test_only_a_state_is_coloured(monkeypatch: pytest.MonkeyPatch) -> None:
    out = Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    print_table(("text",), [("failed",)])
    assert not COLOUR.search(out.getvalue())


def test_a_table_without_rows_has_its_head(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(COLUMNS, [])
    assert capsys.readouterr().out.split() == list(COLUMNS)
