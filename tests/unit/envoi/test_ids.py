from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime

import pytest
import time_machine

from envoi import ids
from envoi.ids import JOB_ID, made_at, new_job_id


def test_an_id_has_26_characters_that_no_script_needs_to_quote() -> None:
    assert JOB_ID.fullmatch(new_job_id())


def test_ids_sort_in_the_order_in_which_they_were_made_also_within_a_millisecond() -> None:
    with time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC), tick=False):
        made = [new_job_id() for _ in range(2000)]
    assert made == sorted(made)
    assert len(set(made)) == 2000


def test_ids_go_on_growing_when_the_clock_is_set_back() -> None:
    with time_machine.travel(datetime(2100, 1, 1, tzinfo=UTC), tick=False):
        before = new_job_id()
    try:
        assert new_job_id() > before
    finally:
        ids._ids._last = 0


def test_an_id_begins_with_the_time_it_was_made() -> None:
    early, late = (datetime(2090, 1, day, tzinfo=UTC) for day in (1, 2))
    with time_machine.travel(early, tick=False):
        first = new_job_id()
    with time_machine.travel(late, tick=False):
        second = new_job_id()
    ids._ids._last = 0
    assert first[:10] < second[:10]


def test_threads_never_get_the_same_id() -> None:
    made: list[str] = []

    def make() -> None:
        made.extend([new_job_id() for _ in range(2000)])

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 16_000


def test_a_forked_process_makes_other_ids_even_if_the_clock_was_set_back() -> None:
    with time_machine.travel(datetime(2100, 1, 1, tzinfo=UTC), tick=False):
        new_job_id()
    try:
        theirs = _ids_of_a_forked_child(20)
        ours = [new_job_id() for _ in range(20)]
    finally:
        ids._ids._last = 0
    assert len({*theirs, *ours}) == 40


def test_a_process_forked_while_a_thread_makes_an_id_can_make_ids_too() -> None:
    with ids._ids._lock:  # as that thread would hold it
        made = _ids_of_a_forked_child(1)
    assert len(made) == 1


def _ids_of_a_forked_child(count: int) -> list[str]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, " ".join([new_job_id() for _ in range(count)]).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        ended = threading.Timer(20, os.kill, (child, 9))  # a child that hangs fails the test, not the run
        ended.start()
        made = pipe.read().split()
        ended.cancel()
    assert os.waitpid(child, 0)[1] == 0
    return made


@pytest.mark.parametrize("text", ["", "01J", "i" * 26, "0" * 25 + "l", "0" * 27, "0" * 25 + "\n"])
def test_other_text_is_not_an_id(text: str) -> None:
    assert not JOB_ID.fullmatch(text)


def test_an_id_tells_when_it_was_made() -> None:
    before = time.time()
    made = made_at(new_job_id())
    assert before - 0.001 <= made <= time.time() + 0.001
    assert made_at("01ARZ3NDEKTSV4RRFFQ69G5FAV") == 1469922850.259  # the example of the ULID specification
    with pytest.raises(ValueError, match="not a job id"):
        made_at("envoi")
