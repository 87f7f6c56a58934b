from __future__ import annotations

import threading

from scheduler.background import Background
from scheduler.troubles import Troubles


class Worker:
    """Counts its runs; the first one breaks."""

    name = "worker"

    def __init__(self) -> None:
        self.runs = 0
        self.again = threading.Event()

    def run(self, stop: threading.Event) -> None:
        self.runs += 1
        if self.runs == 1:
            raise RuntimeError("broken")
        self.again.set()
        stop.wait()


class Deaf:
    """Does not hear that it shall stop."""

    name = "deaf"

    def __init__(self) -> None:
        self.released = threading.Event()

    def run(self, stop: threading.Event) -> None:  # noqa: ARG002  # that is what it is deaf to
        self.released.wait()


def test_work_that_breaks_is_started_anew_and_told() -> None:
    worker, troubles = Worker(), Troubles()
    background = Background([worker], troubles)
    background.start()
    assert worker.again.wait(10)
    assert background.stop(10)
    assert worker.runs == 2


def test_a_stop_says_whether_all_ended_in_time() -> None:
    deaf = Deaf()
    background = Background([deaf], Troubles())
    background.start()
    assert not background.stop(0.01)
    deaf.released.set()
    assert background.stop(10)


def test_a_stop_before_the_start_is_none() -> None:
    assert Background([Worker()], Troubles()).stop(0.01)
