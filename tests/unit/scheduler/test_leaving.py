"""The end of a process whose threads stand still."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import atexit, sys
from scheduler import leaving
atexit.register(leaving.leave, 3)
atexit.register(print, "done before")
leaving.note(in_order={in_order})
sys.exit(0)
"""


@pytest.mark.parametrize(("in_order", "status"), [(True, 0), (False, 3)])
def test_it_leaves_at_once_only_where_threads_stand_still_and_last(in_order: bool, status: int) -> None:
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(in_order=in_order)], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout, found.stderr) == (status, "done before\n", "")
