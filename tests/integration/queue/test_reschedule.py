"""Another time for a job: whoever has not begun enters its line then, and nothing is lost or overtaken on the way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from envoi.errors import InvalidJob, Recovering, UnknownJob
from envoi.ids import new_job_id
from envoi.queue.begin import Go, No
from tests.integration.queue.hands import PAGE, Bench


def move(queue: Bench, job_id: str, seconds: float) -> str:
    """Reschedule a job, by the clock of the test."""
    return queue.reschedule(job_id, datetime.fromtimestamp(queue.now() + seconds, UTC))


def test_a_scheduled_job_gets_another_time_and_enters_its_line_then(queue: Bench) -> None:
    job_id = queue.put(at_in=60)
    assert move(queue, job_id, 120) == "scheduled"
    queue.sleep(61)
    assert queue.tick().entered == 0
    assert float(queue.status(job_id)["due"]) == pytest.approx(queue.now() + 59, abs=1)
    queue.sleep(60)
    assert queue.tick().entered == 1
    assert queue.take().job_id == job_id
    assert queue.states(job_id) == ["scheduled", "scheduled", "queued", "sending"]


@pytest.mark.parametrize("seconds", [0.0, -60.0])
def test_a_time_that_has_passed_means_now(queue: Bench, seconds: float) -> None:
    job_id = queue.put(at_in=60)
    queue.db.delete(queue.keys.bells)
    assert move(queue, job_id, seconds) == "queued"
    assert queue.bells() == 1, "a worker is woken"
    assert queue.take().job_id == job_id


def test_a_job_inside_a_line_leaves_it_and_comes_back_at_its_end(queue: Bench) -> None:
    first, moved, third = queue.put(), queue.put(), queue.put()
    assert move(queue, moved, 30) == "scheduled"
    assert queue.state(moved) == "scheduled"
    sent = []
    for _ in range(2):
        held = queue.take()
        sent.append(held.job_id)
        queue.sent(held)
    assert sent == [first, third]
    assert queue.claim(5) == []
    queue.sleep(31)
    queue.tick()
    assert queue.take().job_id == moved
    assert queue.db.keys(f"{queue.keys.base}x:*") == []


def test_it_may_come_back_before_its_old_place_is_met_and_move_again(queue: Bench) -> None:
    first, moved, third = queue.put(), queue.put(), queue.put()
    for _ in range(3):
        assert move(queue, moved, 0) == "queued"
    sent = []
    while claimed := queue.claim(1):
        sent.append(claimed[0].job_id)
        queue.sent(claimed[0])
    assert sent == [first, third, moved]
    assert queue.db.keys(f"{queue.keys.base}x:*") == []
    assert queue.db.exists(queue.keys.line(f"{PAGE}/id/1")) == 0


@pytest.mark.parametrize("alone", [True, False])
def test_a_head_that_waits_lets_the_next_one_pass(queue: Bench, alone: bool) -> None:
    moved = queue.put()
    others = [] if alone else [queue.put()]
    assert move(queue, moved, 30) == "scheduled"
    assert [held.job_id for held in queue.claim(5)] == others


def test_a_head_in_its_typing_pause_is_moved(queue: Bench) -> None:
    moved = queue.put(typing=3.0)
    queue.done(queue.take(), "back", seconds=3.0, typed_at=1.0)
    assert move(queue, moved, 30) == "scheduled"
    queue.sleep(4)
    queue.tick()
    assert queue.claim(5) == []
    queue.sleep(30)
    queue.tick()
    assert queue.take().typed_at is None


def test_a_held_job_is_decided_at_begin(queue: Bench) -> None:
    moved, second = queue.put(), queue.put()
    held = queue.take()
    assert move(queue, moved, 30) == "pending"
    assert queue.begin(held) == No("rescheduled")
    queue.done(held, "back")
    assert queue.state(moved) == "scheduled"
    assert queue.take().job_id == second
    assert queue.busy() == 1


def test_a_held_job_whose_worker_is_lost_is_moved_all_the_same(queue: Bench) -> None:
    moved = queue.put()
    queue.take()
    move(queue, moved, 100)
    queue.sleep(queue.settings.lease + 1)
    queue.tick()
    assert queue.state(moved) == "scheduled"
    assert queue.busy() == 0


def test_a_wish_that_came_after_begin_is_not_granted(queue: Bench) -> None:
    job_id = queue.put()
    held = queue.take()
    assert isinstance(queue.begin(held), Go)
    assert move(queue, job_id, 30) == "too_late"
    queue.done(held, "retry", seconds=1)
    assert move(queue, job_id, 30) == "too_late", "an attempt has been made"
    queue.sleep(2)
    queue.tick()
    assert queue.take().attempt == 2


@pytest.mark.parametrize("place", ["settling", "sent", "cancelled", "cancelled behind the head"])
def test_it_is_too_late_for_what_may_have_been_sent_or_has_its_outcome(queue: Bench, place: str) -> None:
    if place == "cancelled behind the head":
        queue.put()
    job_id = queue.put()
    if place.startswith("cancelled"):
        queue.cancel(job_id)
    else:
        held = queue.take()
        queue.begin(held)
        if place == "sent":
            queue.sent(held)
        else:
            queue.done(held, "unsure", seconds=60)
    before = queue.state(job_id)
    assert move(queue, job_id, 30) == "too_late"
    assert queue.state(job_id) == before


def test_a_job_that_nobody_knows(queue: Bench) -> None:
    with pytest.raises(UnknownJob):
        move(queue, new_job_id(), 30)


def test_after_a_restart_nothing_moves_before_the_queue_is_open(queue: Bench) -> None:
    job_id = queue.put(at_in=60)
    queue.restart()
    with pytest.raises(Recovering):
        move(queue, job_id, 30)


def test_a_time_after_its_own_end_is_refused_and_changes_nothing(queue: Bench) -> None:
    job_id = queue.put(at_in=60, expires_in=100)
    with pytest.raises(InvalidJob, match=r"at: must be earlier than .* when the job expires"):
        move(queue, job_id, 100)
    assert float(queue.status(job_id)["due"]) == pytest.approx(queue.now() + 60, abs=1)
    assert move(queue, job_id, 90) == "scheduled"


@pytest.mark.parametrize(("lane", "age"), [("replies", "replies_age"), ("bulk", "bulk_age")])
def test_an_age_counts_from_the_new_time(queue: Bench, lane: Any, age: str) -> None:
    job_id = queue.put(at_in=60, lane=lane)
    assert move(queue, job_id, 500_000) == "scheduled"
    queue.sleep(500_001)
    queue.tick()
    held = queue.take()
    assert held.expires == pytest.approx(queue.now() + getattr(queue.settings, age), abs=3)
    assert held.job["id"] == job_id
    assert held.job["message"]["text"] == "hello"


@pytest.mark.parametrize("at", ["tomorrow", datetime(2030, 1, 1), datetime.now(UTC) + timedelta(days=400)])  # noqa: DTZ001
def test_only_aware_times_within_a_year_are_taken(queue: Bench, at: Any) -> None:
    job_id = queue.put(at_in=60)
    with pytest.raises(InvalidJob, match=r"^at: must "):
        queue.reschedule(job_id, at)
    assert float(queue.status(job_id)["due"]) == pytest.approx(queue.now() + 60, abs=1)


def test_a_reply_that_leaves_no_longer_lifts_its_line(queue: Bench) -> None:
    queue.put(lane="bulk")
    queue.put(lane="bulk")
    move(queue, queue.put(), 30)
    queue.sent(queue.take())
    assert queue.db.exists(f"{queue.keys.base}w:{PAGE}:b") == 1
    assert queue.db.exists(f"{queue.keys.base}w:{PAGE}:r") == 0
