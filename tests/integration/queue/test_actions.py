"""Actions in the queue: in their conversation's order, never in doubt, and left alone by older workers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from envoi.action import Action
from envoi.errors import KeyConflict
from envoi.events import GraphError
from envoi.queue.begin import Go
from envoi.queue.scripts import script
from envoi.states import State
from tests.integration.queue.hands import PAGE, Bench, call
from tests.integration.queue.snapshot import Snapshot


@pytest.fixture
def disk(queue: Bench, redis_url: str) -> Iterator[Snapshot]:
    """What is on Redis's disk; to be taken when it matters."""
    with redis.Redis.from_url(redis_url) as client:
        yield Snapshot(queue, client)


def act(queue: Bench, person: str = "1", **options: object) -> str:
    return queue.enqueue([Action(**{"page": PAGE, "recipient": person, "action": "mark_seen", **options})])[0]


def test_an_action_takes_its_turn_between_the_messages_before_and_behind_it(queue: Bench) -> None:
    before, action, behind = queue.put(), act(queue), queue.put()
    for job_id in (before, action, behind):
        held = queue.take()
        assert held.job_id == job_id
        if job_id == action:
            assert held.job["sender_action"] == "mark_seen"
            assert queue.done(held, "settle", recipient_id="7", calls=[call("mark_seen")]) == "ok"
        else:
            assert isinstance(queue.begin(held), Go)
            queue.sent(held)
    assert queue.states(action) == ["queued", "sending", "sent"]


def test_an_accepted_action_is_sent_without_a_message_id(queue: Bench) -> None:
    job_id = act(queue)
    held = queue.take()
    queue.done(held, "settle", recipient_id="7")
    assert queue.done(held, "settle", recipient_id="7") == "ok"  # its answer was lost
    found = queue.status(job_id)
    assert (found["state"], found["recipient_id"], found.get("message_id")) == ("sent", "7", None)
    assert queue.states(job_id).count("sent") == 1
    assert queue.busy() == 0


def test_a_message_is_still_not_sent_without_a_message_id(queue: Bench) -> None:
    queue.put()
    held = queue.take()
    with pytest.raises(redis.ResponseError, match="without a message id"):
        queue.done(held, "settle")


def test_a_failed_action_lets_the_next_job_go_at_once(queue: Bench) -> None:
    job_id, behind = act(queue), queue.put()
    queue.done(queue.take(), "settle", state=State.FAILED, error=GraphError("no", 100, 2018048))
    assert queue.state(job_id) == "failed"
    assert queue.take().job_id == behind


def test_a_worker_lost_in_an_action_has_it_made_again_and_leaves_nothing_in_doubt(queue: Bench) -> None:
    job_id = act(queue)
    queue.take()
    queue.sleep(queue.settings.lease + 1)
    queue.tick()
    held = queue.take()
    assert (held.job_id, held.attempt) == (job_id, 2)


def test_an_action_costs_a_third_of_what_a_message_takes_of_the_pace_of_claims(queue: Bench) -> None:
    queue.configure(PAGE, pace=1.0)

    def charged() -> float:
        """Seconds that the last claim has put the next one off."""
        (catch,) = [queue.claim(1)]
        assert len(catch) == 1
        free = float(queue.db.hget(queue.keys.page(PAGE), "free")) - queue.now()
        queue.sleep(10)
        return free

    act(queue, "1")
    assert charged() == pytest.approx(1 / 3, abs=0.05)
    queue.put("2")
    assert charged() == pytest.approx(1.0, abs=0.05)
    assert queue.db.hget(queue.keys.page(PAGE), "slot") is None, "the pace of messages is not charged"


def test_an_action_is_cancelled_and_expires_like_any_job(queue: Bench) -> None:
    cancelled = act(queue)
    assert queue.cancel(cancelled) == "cancelled"
    expired = act(queue, "2")
    queue.sleep(queue.settings.replies_age + 1)
    assert queue.claim(5) == []
    assert (queue.state(cancelled), queue.state(expired)) == ("cancelled", "expired")


def test_a_key_is_shared_by_messages_and_actions(queue: Bench) -> None:
    job_id = act(queue, key="k")
    assert act(queue, key="k") == job_id
    with pytest.raises(KeyConflict):
        act(queue, key="k", action="typing_on")
    with pytest.raises(KeyConflict):
        queue.put(key="k")


def test_only_actions_are_of_the_newer_format_so_that_older_workers_leave_them(queue: Bench) -> None:
    action, message = act(queue), queue.put()
    assert queue.db.get(queue.keys.job(action)).startswith("2 ")
    assert queue.db.get(queue.keys.job(message)).startswith("1 ")
    older = script("claim").text.replace("local FORMAT = 2", "local FORMAT = 1")
    args = [5, "old", 30, queue.settings.limits, 100, 8, 60, 60]
    assert len(queue.db.eval(older, 1, queue.keys.base, *args)) == 2, "it took the action, or what is behind it"
    queue.sleep(1.1)
    queue.tick()
    assert queue.take().job_id == action


def test_after_a_restart_an_action_goes_again_and_the_jobs_behind_it_are_in_doubt(queue: Bench, disk: Snapshot) -> None:
    action, behind = act(queue), queue.put()
    disk.take()
    queue.done(queue.take(), "settle", recipient_id="7")
    assert isinstance(queue.begin(queue.take()), Go)
    disk.bring_back()
    queue.restart()
    queue.look_over()
    assert queue.state(action) == "queued"
    queue.open()
    held = queue.take()
    assert held.job_id == action
    queue.done(held, "settle", recipient_id="7")
    assert queue.state(behind) == "settling"
    assert queue.claim(5) == []


def test_an_action_behind_a_message_in_doubt_goes_when_that_is_settled(queue: Bench, disk: Snapshot) -> None:
    message, action, last = queue.put(), act(queue), queue.put()
    disk.take()
    assert isinstance(queue.begin(queue.take()), Go)
    disk.bring_back()
    queue.restart()
    queue.look_over()
    queue.open()
    assert queue.state(message) == "settling"
    queue.prove_sent(message, "m_1")
    held = queue.take()
    assert held.job_id == action
    queue.done(held, "settle", recipient_id="7")
    assert queue.state(last) == "settling"


def test_an_action_whose_outcome_was_lost_is_failed_and_never_unknown(queue: Bench, disk: Snapshot) -> None:
    action, _behind = act(queue), queue.put()
    disk.take()
    queue.done(queue.take(), "settle", recipient_id="7")
    held = queue.take()
    assert isinstance(queue.begin(held), Go)
    disk.bring_back()
    queue.restart()
    assert queue.again(held, marked=True) == 1
    assert queue.state(action) == "failed"
