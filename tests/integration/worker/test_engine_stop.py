"""SIGTERM to a real worker at a bad moment: it ends by itself within the time it was given."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.stack import Stack
from tests.acceptance.ledger import control
from tests.acceptance.quick_stack import QuickStack
from tests.waiting import PATIENCE, wait_until

ALLOWED = 4.0  # seconds to stop in
SETTINGS = {"ENVOI_SHUTDOWN_TIME": str(ALLOWED), "ENVOI_LOSS_BOUND": "0.2"}


def begun(stack: Stack) -> str:
    """A job whose first call is being made. Returns its id."""
    job_id = stack.run("send", stack.page, "7000000000000001", "hello").split()[-1]
    wait_until(lambda: "sending" in stack.run("status", job_id), "the job is being sent")
    return job_id


@pytest.mark.parametrize("frozen", [False, True], ids=["a call hangs", "and Redis stands still too"])
def test_a_worker_whose_call_hangs_ends_in_time_and_names_the_job(tmp_path: Path, *, frozen: bool) -> None:
    with QuickStack(tmp_path, settings=SETTINGS) as stack:
        stack.start()
        control(stack.sandbox_url, "PUT", "latency", {"default": 10 * PATIENCE})  # who waits for it waits too long
        job_id = begun(stack)
        assert stack.redis is not None
        if frozen:
            stack.redis.child.pause()
        try:
            worker = stack.child("worker")
            worker.terminate()
            assert worker.process.wait(PATIENCE) == 0, worker.last_lines()
            (last,) = [line for line in worker.last_lines(1000).splitlines() if '"unfinished"' in line][-1:]
            assert job_id in last
        finally:
            stack.redis.child.cont()
