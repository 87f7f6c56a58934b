"""All that waits in a conversation is cancelled, and nothing that may be under way."""

from __future__ import annotations

import pytest

from envoi.errors import Recovering
from envoi.queue.begin import Go, No
from envoi.queue.conversations import Cleared
from envoi.states import State
from tests.integration.queue.hands import PAGE, Bench

CONVERSATION = f"{PAGE}/id/1"


def test_a_line_and_what_is_scheduled_are_cancelled_each_with_its_event(queue: Bench) -> None:
    ids = [queue.put(), queue.put(lane="bulk"), queue.put(at_in=60), queue.put(at_in=120)]
    other = [queue.put("2"), queue.put("2", at_in=60)]
    assert queue.clear(CONVERSATION) == Cleared(4, None, 0)
    for job_id in ids:
        assert queue.states(job_id)[-1] == queue.state(job_id) == "cancelled"
    assert [queue.state(job_id) for job_id in other] == ["queued", "scheduled"]
    assert not queue.db.exists(queue.keys.line(CONVERSATION), queue.keys.conversation(CONVERSATION))
    assert queue.clear(CONVERSATION) == Cleared(0, None, 0)


def test_more_than_one_step_takes_is_cancelled(queue: Bench) -> None:
    ids = [queue.put() for _ in range(450)] + [queue.put(at_in=60) for _ in range(250)]
    assert queue.clear(CONVERSATION) == Cleared(700, None, 0)
    assert {queue.state(job_id) for job_id in ids} == {"cancelled"}


def test_what_was_cancelled_before_is_not_counted_and_leaves_nothing_behind(queue: Bench) -> None:
    ids = [queue.put() for _ in range(5)]
    queue.cancel(ids[2])
    queue.cancel(ids[4])
    assert queue.clear(CONVERSATION) == Cleared(3, None, 0)
    assert queue.db.keys(f"{queue.keys.base}x:*") == []
    assert queue.states(ids[2]).count("cancelled") == 1


def test_a_job_whose_call_has_begun_goes_on_and_what_comes_later_follows_it(queue: Bench) -> None:
    first, second = queue.put(), queue.put()
    claimed = queue.take()
    assert isinstance(queue.begin(claimed), Go)
    assert queue.clear(CONVERSATION) == Cleared(1, first, 0)
    later = queue.put()
    assert queue.sent(claimed) == "ok"
    assert (queue.state(first), queue.state(second)) == ("sent", "cancelled")
    assert queue.take().job_id == later


def test_a_job_that_is_held_by_a_worker_decides_at_begin(queue: Bench) -> None:
    job_id, claimed = queue.put(), queue.take()
    assert queue.clear(CONVERSATION) == Cleared(0, job_id, 0)
    assert queue.begin(claimed) == No("cancelled")
    queue.done(claimed, "settle", state=State.CANCELLED)
    assert queue.state(job_id) == "cancelled"


def test_what_settles_goes_on_settling(queue: Bench) -> None:
    first, second = queue.put(), queue.put()
    claimed = queue.take()
    assert isinstance(queue.begin(claimed), Go)
    queue.done(claimed, "unsure", seconds=60)
    assert queue.clear(CONVERSATION) == Cleared(1, first, 0)
    assert queue.prove_sent(first, "m") == "settled"
    assert (queue.state(first), queue.state(second)) == ("sent", "cancelled")


def test_a_retrying_and_a_parked_head_are_cancelled(queue: Bench) -> None:
    first = queue.put()
    queue.done(queue.take(), "retry", seconds=60)
    assert queue.clear(CONVERSATION).cancelled == 1
    assert queue.db.zcard(f"{queue.keys.base}due") == 0
    second = queue.put()
    queue.hold(CONVERSATION)
    queue.claim(5)
    assert queue.clear(CONVERSATION).cancelled == 1
    assert (queue.state(first), queue.state(second)) == ("cancelled", "cancelled")
    assert queue.lined(CONVERSATION).hold is not None


def test_what_may_have_been_begun_in_lost_moments_goes_on(queue: Bench) -> None:
    ids = [queue.put() for _ in range(3)]
    queue.take()
    queue.restart()
    queue.look_over()
    ids += [queue.put() for _ in range(2)]
    with pytest.raises(Recovering):
        queue.clear(CONVERSATION)
    queue.open()
    assert queue.clear(CONVERSATION) == Cleared(2, ids[0], 2)
    assert [queue.state(job_id) for job_id in ids] == ["settling", "queued", "queued", "cancelled", "cancelled"]


def test_a_key_is_free_for_a_while_longer_only(queue: Bench) -> None:
    job_id = queue.put(key="k")
    queue.clear(CONVERSATION)
    assert queue.put(key="k") == job_id
    [name] = queue.db.keys(f"{queue.keys.base}k:*")
    assert 0 < queue.db.ttl(name) <= queue.settings.key_ttl


def test_scheduled_jobs_that_enter_move_or_end_leave_the_index_of_their_conversation(queue: Bench) -> None:
    index = f"{queue.keys.base}ats:{CONVERSATION}"
    queue.put(at_in=10)
    second = queue.put(at_in=20)
    third = queue.put(at_in=30)
    assert queue.lined(CONVERSATION).scheduled == 3
    queue.sleep(11)
    queue.tick()
    assert queue.db.scard(index) == 2
    queue.cancel(second)
    assert queue.db.scard(index) == 1
    assert queue.prove_sent(third, "m") == "settled"
    assert not queue.db.exists(index)
