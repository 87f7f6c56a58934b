"""The dead-man timer on a real process: frozen for too long, it never does anything again."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from demo.child import Child
from demo.redis_server import RedisServer
from demo.stack import ROOT
from envoi import Job
from envoi.queue.connection import connect
from envoi.queue.queue import Queue
from envoi.settings import Settings
from tests.waiting import wait_until, wait_until_equal
from worker.deadman import DeadMan, NoInit

LEASE = 2.0  # seconds; the timer is 0.9

# A thread that writes a line as often as it can, as a call's thread might at any moment.
PROGRAM = """
import signal, sys, threading, time
{before}
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

# A worker's engine, lease keeper and timer, with a Graph that accepts everything at once.
WORKER = """
import time
from envoi.queue.connection import connect
from envoi.queue.queue import Queue
from envoi.settings import Settings
from worker.deadman import DeadMan
from worker.engine import Engine
from worker.graph import Graph, Outcome
from worker.leases import LeaseKeeper
from worker.verdicts import Accepted
class Accepting(Graph):
    def __init__(self): pass
    def call(self, step, job, token_version, may_start): return Outcome(Accepted("m_1", "7"), None)
rules = Settings(lease={lease}, loss_bound=0.05)
queue = Queue(connect("{url}"), rules)
engine = Engine(queue, Accepting(), "w1")
engine.start()
DeadMan(rules.lease, lambda: engine.turned_at).start()
LeaseKeeper(queue, engine, lambda: None).start()
print("x", flush=True)
while True:
    engine.wake(); time.sleep(0.05)
"""


def stands_still(child: Child) -> bool:
    """Whether each of its threads is stopped."""
    threads = Path(f"/proc/{child.pid}/task").glob("*/stat")
    return all(thread.read_text().rpartition(") ")[2][0] == "T" for thread in threads)


def started(tmp_path: Path, *, turns: bool = True, before: str = "") -> Child:
    """The program, once it works."""
    return run(tmp_path, PROGRAM.format(lease=LEASE, turns=turns, before=before))


def run(tmp_path: Path, program: str) -> Child:
    """A program, once it has written."""
    child = Child("worker", [sys.executable, "-c", program], log=tmp_path / "log", cwd=ROOT)
    child.start()
    child.wait_ready(lambda: "x" in child.last_lines(), timeout=20)
    return child


def written(child: Child) -> int:
    """Bytes that it has written so far."""
    return child.log.stat().st_size


@pytest.mark.parametrize(
    "before",
    [
        "",
        "signal.signal(signal.SIGALRM, signal.SIG_IGN)",  # as it may be inherited from whoever started us
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])",
    ],
    ids=["as usual", "ignored before", "blocked before"],
)
def test_a_process_that_was_frozen_past_its_timer_writes_nothing_when_it_wakes(tmp_path: Path, before: str) -> None:
    child = started(tmp_path, before=before)
    os.kill(child.pid, signal.SIGSTOP)
    wait_until(lambda: stands_still(child), "the signal reaches every thread")
    until_then = written(child)
    time.sleep(LEASE * 0.45 + 0.3)  # the kernel's timer runs on; nothing else does
    assert written(child) == until_then
    os.kill(child.pid, signal.SIGCONT)
    assert child.process.wait(10) == -signal.SIGALRM
    assert written(child) == until_then


def test_a_process_that_goes_on_is_left_alone(tmp_path: Path) -> None:
    child = started(tmp_path)
    try:
        time.sleep(2 * LEASE)
        assert child.running
    finally:
        assert child.stop() == -signal.SIGTERM


def test_an_engine_that_stands_still_is_given_up_with_its_process(tmp_path: Path) -> None:
    child = started(tmp_path, turns=False)
    assert child.process.wait(20) == -signal.SIGALRM
    assert "the engine stands still" in child.last_lines(1000)


def test_a_redis_that_stands_still_for_longer_than_the_timer_ends_no_worker(tmp_path: Path) -> None:
    with RedisServer(aof=False) as server:
        queue = Queue(connect(server.url), Settings(lease=LEASE))
        queue.open_gate(queue.run_id())
        child = run(tmp_path, WORKER.format(lease=LEASE, url=server.url))
        try:
            server.child.pause()
            time.sleep(4 * LEASE)
            assert child.running, child.last_lines()
            server.child.cont()
            (job_id,) = queue.enqueue([Job(page="1", recipient="100", message="hello")])
            wait_until_equal(lambda: queue.status(job_id)["state"], "sent")
            assert child.running, child.last_lines()
        finally:
            server.child.cont()
            assert child.stop() == -signal.SIGTERM


def test_process_1_is_refused_since_no_timer_can_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 1)
    with pytest.raises(NoInit, match="process 1"):
        DeadMan(LEASE, time.monotonic).start()
