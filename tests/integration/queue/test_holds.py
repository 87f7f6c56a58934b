"""A held conversation: nothing begins in it, nothing is lost of it, and it costs nobody else anything."""

from __future__ import annotations

import math

import pytest
import redis

from envoi.queue.begin import Go, No
from envoi.queue.conversations import Held
from envoi.states import State
from tests.integration.queue.hands import PAGE, Bench
from tests.integration.queue.snapshot import Snapshot

CONVERSATION = f"{PAGE}/id/1"


def _released(queue: Bench) -> None:
    """Once a release counts, and a scheduler has seen it."""
    queue.sleep(queue.settings.loss_bound + 0.1)
    queue.tick()


def test_a_held_conversation_is_parked_by_the_claim_that_meets_it_and_others_go_on(queue: Bench) -> None:
    mine, other = queue.put("1"), queue.put("2")
    assert queue.hold(CONVERSATION)
    assert [held.job_id for held in queue.claim(5)] == [other]
    assert queue.place("1") == "p"
    assert queue.busy() == 1
    assert queue.state(mine) == "queued"
    assert queue.states(mine) == ["queued"]


def test_what_waits_when_a_hold_begins_and_what_comes_meanwhile_goes_in_order_after_the_release(queue: Bench) -> None:
    ids = [queue.put() for _ in range(3)]
    queue.hold(CONVERSATION)
    queue.claim(5)
    ids += [queue.put(lane="bulk"), queue.put()]
    queue.sleep(100)
    queue.tick()
    assert queue.claim(5) == []
    assert queue.release(CONVERSATION)
    _released(queue)
    sent = []
    while claimed := queue.claim(1):
        sent.append(claimed[0].job_id)
        assert isinstance(queue.begin(claimed[0]), Go)
        queue.sent(claimed[0])
    assert sent == ids


def test_a_hold_without_any_job_meets_the_first_that_comes(queue: Bench) -> None:
    queue.hold(CONVERSATION)
    queue.put()
    assert queue.claim(5) == []
    assert queue.lined(CONVERSATION).waiting == 1


def test_a_hold_outlives_the_jobs_of_its_conversation(queue: Bench) -> None:
    queue.put()
    claimed = queue.take()
    assert isinstance(queue.begin(claimed), Go)
    queue.hold(CONVERSATION)
    assert queue.sent(claimed) == "ok"
    queue.put()
    assert queue.claim(5) == []


def test_a_message_call_that_has_begun_goes_on(queue: Bench) -> None:
    job_id, claimed = queue.put(), queue.take()
    assert isinstance(queue.begin(claimed), Go)
    queue.hold(CONVERSATION)
    assert isinstance(queue.begin(claimed), Go)  # its answer was lost, and it asks again
    assert queue.sent(claimed) == "ok"
    assert queue.state(job_id) == "sent"


def test_a_hold_between_claim_and_begin_gives_the_attempt_back(queue: Bench) -> None:
    queue.put()
    claimed = queue.take()
    queue.hold(CONVERSATION)
    assert queue.begin(claimed) == No("held")
    queue.done(claimed, "back")
    assert queue.claim(5) == []
    assert (queue.place(), queue.busy()) == ("p", 0)
    queue.release(CONVERSATION)
    _released(queue)
    assert queue.take().attempt == 1


def test_a_retry_that_comes_due_waits_for_the_release(queue: Bench) -> None:
    job_id = queue.put()
    queue.done(queue.take(), "retry", seconds=5)
    queue.hold(CONVERSATION)
    queue.sleep(6)
    queue.tick()
    assert queue.claim(5) == []
    assert queue.state(job_id) == "retrying"
    queue.release(CONVERSATION)
    _released(queue)
    assert queue.take().attempt == 2


def test_a_lease_that_runs_out_in_a_held_conversation_is_rescued_and_the_job_waits(queue: Bench) -> None:
    queue.put()
    queue.take()
    queue.hold(CONVERSATION)
    queue.sleep(queue.settings.lease + 1)
    assert queue.tick().lost == 1
    assert queue.claim(5) == []
    assert (queue.place(), queue.busy()) == ("p", 0)


def test_a_hold_does_not_stop_settling_and_what_follows_waits(queue: Bench) -> None:
    first, second = queue.put(), queue.put()
    claimed = queue.take()
    assert isinstance(queue.begin(claimed), Go)
    queue.done(claimed, "unsure", seconds=60)
    queue.hold(CONVERSATION)
    assert queue.prove_sent(first, "m") == "settled"
    assert queue.claim(5) == []
    assert queue.state(second) == "queued"
    queue.release(CONVERSATION)
    _released(queue)
    assert queue.take().job_id == second


def test_a_hold_ends_by_itself_and_its_end_can_be_moved(queue: Bench) -> None:
    queue.put(lane="bulk")
    queue.hold(CONVERSATION, queue.now() + 1000)
    queue.claim(5)
    assert not queue.hold(CONVERSATION, queue.now() + 6000)
    queue.sleep(3000)
    queue.tick()
    assert queue.claim(5) == []
    queue.sleep(3001)
    queue.tick()
    assert queue.place() == "w"
    assert list(queue.holds(PAGE)) == []
    assert len(queue.claim(5)) == 1


def test_a_hold_whose_time_is_over_stops_no_claim_though_no_scheduler_has_seen_it(queue: Bench) -> None:
    queue.hold(CONVERSATION, queue.now() + 10)
    queue.sleep(11)
    queue.put()
    assert len(queue.claim(5)) == 1


def test_a_million_held_conversations_would_end_in_bounded_steps(queue: Bench) -> None:
    for person in range(250):
        queue.put(str(person))
        queue.hold(f"{PAGE}/id/{person}", queue.now() + 1000)
    while queue.db.llen(f"{queue.keys.base}w:{PAGE}:r"):
        assert queue.claim(50) == []
        queue.sleep(0.001)
    queue.sleep(1001)
    left = []
    while held := len(list(queue.holds(PAGE))):
        left.append(held)
        queue.tick(100)
    assert left == [250, 150, 50]


def test_a_release_counts_only_when_redis_can_no_longer_lose_it(queue: Bench) -> None:
    queue.settings = queue.settings.model_copy(update={"loss_bound": 100.0})
    queue.put()
    queue.hold(CONVERSATION)
    queue.claim(5)
    assert queue.release(CONVERSATION)
    assert not queue.release(CONVERSATION)
    queue.sleep(50)
    queue.tick()
    assert queue.claim(5) == []
    _released(queue)
    assert len(queue.claim(5)) == 1


def test_held_again_within_a_release_it_is_held(queue: Bench) -> None:
    queue.put()
    queue.hold(CONVERSATION)
    queue.claim(5)
    queue.release(CONVERSATION)
    assert queue.hold(CONVERSATION)
    _released(queue)
    assert queue.claim(5) == []
    assert [hold.until for hold in queue.holds(PAGE)] == [None]


def test_an_expired_job_is_not_sent_after_the_release(queue: Bench) -> None:
    job_id = queue.put(expires_in=10)
    queue.hold(CONVERSATION)
    queue.claim(5)
    queue.sleep(11)
    queue.release(CONVERSATION)
    _released(queue)
    assert queue.claim(5) == []
    assert queue.state(job_id) == "expired"


def test_cancel_of_a_parked_head_moves_the_line_on_and_keeps_it_held(queue: Bench) -> None:
    first, second = queue.put(), queue.put()
    queue.hold(CONVERSATION)
    queue.claim(5)
    assert queue.cancel(first) == "cancelled"
    assert queue.claim(5) == []
    queue.release(CONVERSATION)
    _released(queue)
    assert queue.take().job_id == second


def test_a_reply_behind_a_parked_bulk_job_lifts_its_conversation(queue: Bench) -> None:
    queue.put(lane="bulk")
    queue.hold(CONVERSATION)
    queue.claim(5)
    queue.put()
    queue.release(CONVERSATION)
    _released(queue)
    assert queue.db.llen(f"{queue.keys.base}w:{PAGE}:r") == 1
    assert queue.db.llen(f"{queue.keys.base}w:{PAGE}:b") == 0


def test_an_action_waits_in_a_held_conversation_too(queue: Bench) -> None:
    from envoi.action import Action  # noqa: PLC0415  # used here alone

    [job_id] = queue.enqueue([Action(page=PAGE, recipient="1", action="mark_seen")])
    queue.hold(CONVERSATION)
    assert queue.claim(5) == []
    assert queue.state(job_id) == "queued"


def test_the_log_is_told_of_holds_that_begin_move_and_end(queue: Bench) -> None:
    queue.hold(CONVERSATION, 5_000_000_000.0)
    queue.hold(CONVERSATION)
    queue.release(CONVERSATION)
    queue.release(CONVERSATION)
    told = [fields["n"] for _, fields in queue.db.xrange(queue.keys.receipts)]
    assert [text.count('"until"') for text in told] == [1, 0, 0]
    assert [text.count('"since"') for text in told] == [1, 1, 0]


def test_what_the_log_knows_comes_back_with_its_time(queue: Bench) -> None:
    queue.restore_hold(Held(CONVERSATION, 1000.5, None))
    queue.restore_hold(Held(f"{PAGE}/id/2", 1001.5, 5_000_000_000.0))
    found = {hold.conversation: (hold.since, hold.until) for hold in queue.holds(PAGE)}
    assert found == {CONVERSATION: (1000.5, None), f"{PAGE}/id/2": (1001.5, 5_000_000_000.0)}
    assert queue.db.xlen(queue.keys.receipts) == 0
    queue.put()
    assert queue.claim(5) == []


# ---- Redis restarts


@pytest.fixture
def disk(queue: Bench, redis_url: str) -> Snapshot:
    return Snapshot(queue, redis.Redis.from_url(redis_url))


def _looked_over(queue: Bench) -> int:
    moved = queue.look_over()
    queue.open()
    return moved


def test_a_parked_head_is_in_no_doubt_after_a_restart_and_goes_after_the_release(queue: Bench) -> None:
    job_id = queue.put()
    queue.hold(CONVERSATION)
    queue.claim(5)
    queue.restart()
    assert _looked_over(queue) == 0
    assert queue.state(job_id) == "queued"
    queue.release(CONVERSATION)
    _released(queue)
    assert queue.take().job_id == job_id


def test_a_head_that_was_parked_in_lost_moments_is_in_no_doubt(queue: Bench, disk: Snapshot) -> None:
    queue.put()
    queue.hold(CONVERSATION)
    disk.take()
    queue.claim(5)
    disk.bring_back()
    queue.restart()
    assert _looked_over(queue) == 0
    assert queue.claim(5) == []
    assert queue.place() == "p"


def _begun_in_lost_moments(queue: Bench, disk: Snapshot) -> str:
    """A job whose conversation's hold ended, and which began, in moments that Redis lost, with its worker."""
    job_id = queue.put(lane="bulk")
    queue.hold(CONVERSATION, queue.now() + 1000)
    queue.claim(5)
    queue.sleep(999)
    disk.take()
    queue.sleep(1.1)
    queue.tick()
    assert isinstance(queue.begin(queue.take()), Go)
    disk.bring_back()
    queue.restart()
    return job_id


def test_a_hold_that_ended_in_lost_moments_leaves_a_doubt_about_what_was_begun_then(
    queue: Bench, disk: Snapshot
) -> None:
    job_id = _begun_in_lost_moments(queue, disk)
    assert _looked_over(queue) == 1
    assert queue.state(job_id) == "settling"
    assert queue.claim(5) == []


def test_nothing_is_begun_in_the_moments_in_which_a_release_may_be_lost(queue: Bench, disk: Snapshot) -> None:
    queue.settings = queue.settings.model_copy(update={"loss_bound": 100.0})
    job_id = queue.put()
    queue.hold(CONVERSATION)
    queue.claim(5)
    disk.take()
    queue.release(CONVERSATION)
    queue.sleep(50)
    queue.tick()
    assert queue.claim(5) == []
    disk.bring_back()
    queue.restart()
    assert _looked_over(queue) == 0
    assert queue.state(job_id) == "queued"
    assert [hold.until for hold in queue.holds(PAGE)] == [None]


def test_a_hold_that_was_said_after_the_restart_hides_no_doubt(queue: Bench, disk: Snapshot) -> None:
    job_id = queue.put()
    disk.take()
    assert isinstance(queue.begin(queue.take()), Go)
    disk.bring_back()
    queue.restart()
    queue.hold(CONVERSATION)
    assert _looked_over(queue) == 1
    assert queue.state(job_id) == "settling"


@pytest.mark.parametrize("what", ["release", "hold"])
def test_a_hold_that_ended_in_lost_moments_leaves_its_doubt_whatever_is_said_after_the_restart(
    queue: Bench, disk: Snapshot, what: str
) -> None:
    job_id = _begun_in_lost_moments(queue, disk)
    queue.release(CONVERSATION) if what == "release" else queue.hold(CONVERSATION)
    assert _looked_over(queue) == 1
    assert queue.state(job_id) == "settling"


def test_held_conversations_hide_nobody_from_the_look_over(queue: Bench, disk: Snapshot) -> None:
    """They are not charged to the page, so a claim may have gone past any number of them."""
    queue.configure(PAGE, pace=1.0, cap=1)
    held = 40
    for person in range(held + 1):
        queue.put(str(person))
    for person in range(held):
        queue.hold(f"{PAGE}/id/{person}")
    disk.take()
    claimed: list[str] = []
    while not claimed:
        claimed = [one.job_id for one in queue.claim(1) if isinstance(queue.begin(one), Go)]
        queue.sleep(0.001)
    disk.bring_back()
    queue.restart()
    assert _looked_over(queue) == 1
    assert queue.state(claimed[0]) == "settling"


def test_a_worker_that_comes_back_ends_its_job_in_a_conversation_that_is_held_since(queue: Bench) -> None:
    job_id, claimed = queue.put(), queue.take()
    assert isinstance(queue.begin(claimed), Go)
    queue.hold(CONVERSATION)
    queue.restart()
    queue.again(claimed, marked=True)
    assert queue.sent(claimed) == "ok"
    assert queue.state(job_id) == State.SENT
    queue.open()
    assert queue.lined(CONVERSATION).hold is not None


def test_holding_and_releasing_go_on_while_the_gate_is_shut(queue: Bench) -> None:
    queue.restart()
    queue.put()
    assert queue.hold(CONVERSATION)
    _looked_over(queue)
    assert queue.claim(5) == []
    assert math.isinf(queue.db.zscore(queue.keys.holds, CONVERSATION))
    queue.restart()
    assert queue.release(CONVERSATION)
    _looked_over(queue)
    _released(queue)
    assert len(queue.claim(5)) == 1
