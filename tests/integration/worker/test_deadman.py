"""The dead-man timer on a real process: frozen for too long, it never does anything again."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from demo.child import Child
from demo.stack import ROOT
from worker.deadman import DeadMan, NoInit

LEASE = 2.0  # seconds; the timer is 0.9

# A thread that writes a line as often as it can, as a call's thread might at any moment.
PROGRAM = """
import sys, threading, time
from worker.deadman import DeadMan
turned = [time.monotonic()]
DeadMan({lease}, lambda: turned[0]).start()
def work():
    while True:
        sys.stdout.write("x\\n"); sys.stdout.flush(); time.sleep(0.005)
threading.Thread(target=work, daemon=True).start()
while {turns}:
    turned[0] = time.monotonic(); time.sleep(0.05)
turned[0] = time.monotonic() - 100
time.sleep(60)
"""


def started(tmp_path: Path, *, turns: bool = True) -> Child:
    """The program, once it works."""
    program = PROGRAM.format(lease=LEASE, turns=turns)
    child = Child("worker", [sys.executable, "-c", program], log=tmp_path / "log", cwd=ROOT)
    child.start()
    child.wait_ready(lambda: "x" in child.last_lines(), timeout=20)
    return child


def written(child: Child) -> int:
    """Bytes that it has written so far."""
    return child.log.stat().st_size


def test_a_process_that_was_frozen_past_its_timer_writes_nothing_when_it_wakes(tmp_path: Path) -> None:
    child = started(tmp_path)
    os.kill(child.pid, signal.SIGSTOP)
    frozen_at = time.monotonic()
    before = written(child)
    while time.monotonic() < frozen_at + LEASE * 0.45 + 0.3:  # the kernel's timer runs on; nothing else does
        assert written(child) == before
        time.sleep(0.05)
    os.kill(child.pid, signal.SIGCONT)
    assert child.process.wait(10) == -signal.SIGALRM
    assert written(child) == before


def test_a_process_that_goes_on_is_left_alone(tmp_path: Path) -> None:
    child = started(tmp_path)
    try:
        until = time.monotonic() + 2 * LEASE
        while time.monotonic() < until:
            assert child.running
            time.sleep(0.05)
    finally:
        assert child.stop() == -signal.SIGTERM


def test_an_engine_that_stands_still_is_given_up_with_its_process(tmp_path: Path) -> None:
    child = started(tmp_path, turns=False)
    assert child.process.wait(20) == -signal.SIGALRM
    assert "the engine stands still" in child.last_lines(1000)


def test_process_1_is_refused_since_no_timer_can_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 1)
    with pytest.raises(NoInit, match="process 1"):
        DeadMan(LEASE, time.monotonic).start()
