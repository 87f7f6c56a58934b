"""The threads that make calls."""

from __future__ import annotations

import threading
from functools import partial
from queue import SimpleQueue

from worker.hands import Hands


def test_as_many_works_go_on_at_once_as_there_are_threads_and_the_rest_wait() -> None:
    hands, inside, go = Hands(3), threading.Semaphore(0), threading.Event()
    done: SimpleQueue[int] = SimpleQueue()

    def work(number: int) -> None:
        inside.release()
        assert go.wait(10)
        done.put(number)

    for number in range(5):
        hands.do(partial(work, number))
    for _ in range(3):
        assert inside.acquire(timeout=10)
    assert not inside.acquire(timeout=0.05)
    go.set()
    assert sorted(done.get(timeout=10) for _ in range(5)) == [0, 1, 2, 3, 4]
    hands.stop()


def test_a_free_thread_is_used_before_another_one_is_started() -> None:
    hands = Hands(8)
    names: SimpleQueue[str] = SimpleQueue()
    for _ in range(50):
        hands.do(lambda: names.put(threading.current_thread().name))
        names.get(timeout=10)
    hands.do(lambda: names.put(threading.current_thread().name))
    assert names.get(timeout=10) in {"envoi-call-1", "envoi-call-2"}  # the second, if the first was still putting back
    hands.stop()


def test_work_that_raises_costs_no_thread() -> None:
    hands = Hands(1)
    done = threading.Event()
    hands.do(_break)
    hands.do(done.set)
    assert done.wait(10)
    hands.stop()


def _break() -> None:
    raise ValueError("broken")
