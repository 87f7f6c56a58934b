"""SIGTERM to a real worker at a bad moment: it ends by itself within the time it was given."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from demo.child import Child
from demo.stack import Stack
from tests.acceptance.ledger import control
from tests.acceptance.quick_stack import QuickStack
from tests.waiting import wait_until

ALLOWED = 4.0  # seconds to stop in
SLACK = 8.0  # seconds that a busy machine may take besides; the call hangs for longer
SETTINGS = {"ENVOI_SHUTDOWN_TIME": str(ALLOWED), "ENVOI_LOSS_BOUND": "0.2"}


def stopped(worker: Child) -> float:
    """Ask it to end. Returns how long it took, seconds."""
    began = time.monotonic()
    worker.terminate()
    assert worker.process.wait(60) == 0, worker.last_lines()
    return time.monotonic() - began


def begun(stack: Stack) -> str:
    """A job whose first call is being made. Returns its id."""
    job_id = stack.run("send", stack.page, "7000000000000001", "hello").split()[-1]
    wait_until(lambda: "sending" in stack.run("status", job_id), "the job is being sent")
    return job_id


@pytest.mark.parametrize("frozen", [False, True], ids=["a call hangs", "and Redis stands still too"])
def test_a_worker_whose_call_hangs_ends_in_time_and_names_the_job(tmp_path: Path, *, frozen: bool) -> None:
    with QuickStack(tmp_path, settings=SETTINGS) as stack:
        stack.start()
        control(stack.sandbox_url, "PUT", "latency", {"default": 4 * ALLOWED})
        job_id = begun(stack)
        assert stack.redis is not None
        if frozen:
            stack.redis.child.pause()
        try:
            worker = stack.child("worker")
            assert stopped(worker) < ALLOWED + SLACK
            (last,) = [line for line in worker.last_lines(1000).splitlines() if '"unfinished"' in line][-1:]
            assert job_id in last
        finally:
            stack.redis.child.cont()
