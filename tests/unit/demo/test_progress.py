from __future__ import annotations

from io import StringIO

from rich.console import Console

from demo.progress import SendingProgress
from envoi import State


def test_without_a_terminal_a_line_says_where_the_jobs_are() -> None:
    out = StringIO()
    with SendingProgress(Console(file=out, width=80), total=4) as shown:
        shown.update([State.SENT, State.RETRYING, State.SENT])
    assert out.getvalue() == "  2 of 4 sent, 1 retrying\n"


def test_in_a_terminal_a_bar_says_so_and_goes_away() -> None:
    out = StringIO()
    console = Console(file=out, width=80, force_terminal=True)
    with SendingProgress(console, total=4) as shown:
        shown.update([State.SENT, State.UNKNOWN])
    assert "1 of 4 sent, 1 unknown" in out.getvalue()
    assert out.getvalue().endswith("\x1b[2K")  # the line is cleared
