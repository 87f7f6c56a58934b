from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO

from rich.console import Console

from demo.comparison import Logged
from demo.producer import Enqueued
from demo.report import show
from envoi import Job, State

JOB = Enqueued(Job(page="1", recipient="7001", message="x"), "01JOB" + "Z" * 21, "Ada", 1_700_000_000.0)
ROW = Logged(State.SENT, "m_" + "a" * 80, 2, datetime.fromtimestamp(1_700_000_001.25, UTC))


def shown(log: dict[str, Logged], found: list[str]) -> str:
    out = StringIO()
    show(Console(file=out, width=80), [JOB], log, found)
    return out.getvalue()


def test_the_table_holds_whole_ids_where_there_is_no_terminal() -> None:
    text = shown({JOB.job_id: ROW}, [])
    for part in (JOB.job_id, "7001 Ada", "sent", ROW.message_id or "", "1.250 s"):
        assert part in text
    assert "As promised: 1 messages to 1 people" in text
    assert "1 of them after a retry" in text


def test_each_difference_is_shown_and_the_verdict_says_no() -> None:
    text = shown({}, ["job X is not in the log"])
    assert "not in the log" in text
    assert "✗ job X is not in the log" in text
    assert "NOT as promised: 1 differences" in text
    assert "As promised" not in text
