"""A producer in a process of its own: a line for each batch, an answer for each, and its end."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks.producer import Producer, Spent
from benchmarks.work import Message
from demo.child import ChildFailed

MESSAGES = [Message("1", "2", "héllo"), Message("1", "2", "there")]
ANSWERS = """
import json, sys
for line in sys.stdin:
    batch = json.loads(line)
    print(json.dumps({"seconds": len(batch), "cpu_seconds": len(batch[0][2])}), flush=True)
"""
ENDS = "import sys; print('no Redis', file=sys.stderr)"


def producer(program: str, folder: Path) -> Producer:
    return Producer("it", [sys.executable, "-c", program], log=folder / "log", env=os.environ, cwd=folder)


def test_each_batch_is_answered_with_what_it_took(tmp_path: Path) -> None:
    found = producer(ANSWERS, tmp_path)
    found.start()
    assert [found.enqueue(MESSAGES), found.enqueue(MESSAGES[:1])] == [Spent(2, 5), Spent(1, 5)]
    found.stop()


def test_one_that_has_ended_says_why(tmp_path: Path) -> None:
    found = producer(ENDS, tmp_path)
    found.start()
    with pytest.raises(ChildFailed, match="it has ended; its log ends:\nno Redis"):
        found.enqueue(MESSAGES)
    found.stop()


def test_one_that_cannot_be_run_or_was_not_started_says_so(tmp_path: Path) -> None:
    absent = Producer("it", [str(tmp_path / "absent")], log=tmp_path / "log", env={}, cwd=tmp_path)
    with pytest.raises(ChildFailed, match="it cannot be run"):
        absent.start()
    with pytest.raises(ChildFailed, match="it was not started"):
        absent.enqueue(MESSAGES)
    absent.stop()
