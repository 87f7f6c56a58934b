"""Proof from outside: taken from anyone, at any time, twice too."""

from __future__ import annotations

from typing import Any

import pytest

from envoi.errors import UnknownJob
from envoi.queue.begin import AlreadySent, Go
from tests.integration.queue.hands import Bench


def _unsure(queue: Bench, **options: Any) -> tuple[str, str]:
    """A job whose call is in doubt, and that call's fence."""
    job_id = queue.put(**options)
    held = queue.take()
    assert isinstance(queue.begin(held), Go)
    queue.done(held, "unsure", seconds=60)
    return job_id, held.fence


def test_a_proof_settles_a_job_in_doubt_and_its_line_moves_on(queue: Bench) -> None:
    job_id, _ = _unsure(queue)
    second = queue.put()
    assert queue.prove_sent(job_id, "m", "r") == "settled"
    assert queue.prove_sent(job_id, "m", "r") == "known"
    assert queue.status(job_id)["message_id"] == "m"
    assert queue.take().job_id == second
    queue.sleep(61)
    assert queue.tick().due == 0


def test_a_proof_corrects_unknown_and_nothing_else(queue: Bench) -> None:
    job_id, _ = _unsure(queue)
    queue.sleep(61)
    queue.tick()
    assert queue.state(job_id) == "unknown"
    assert queue.prove_sent(job_id, "m") == "corrected"
    assert queue.states(job_id)[-2:] == ["unknown", "sent"]
    other = queue.put("2")
    queue.cancel(other)
    assert queue.prove_sent(other, "m") == "known"
    assert queue.state(other) == "cancelled"


def test_a_proof_for_a_held_job_is_found_at_begin(queue: Bench) -> None:
    job_id = queue.put()
    held = queue.take()
    assert queue.prove_sent(job_id, "m") == "held"
    assert queue.begin(held) == AlreadySent("m")


@pytest.mark.parametrize("op", ["retry", "back", "unsure"])
def test_a_proof_for_a_held_job_wins_over_what_its_holder_says(queue: Bench, op: str) -> None:
    job_id = queue.put()
    held = queue.take()
    queue.prove_sent(job_id, "m")
    queue.done(held, op, seconds=5)
    assert queue.state(job_id) == "sent"
    assert queue.busy() == 0


def test_a_proof_for_a_held_job_settles_it_when_its_worker_is_lost(queue: Bench) -> None:
    job_id = queue.put()
    queue.take()
    queue.prove_sent(job_id, "m")
    queue.sleep(queue.settings.lease + 1)
    queue.tick()
    assert queue.state(job_id) == "sent"


def test_a_proof_for_a_job_that_is_no_head_settles_it_and_it_is_skipped(queue: Bench) -> None:
    first, second, third = queue.put(), queue.put(), queue.put()
    assert queue.prove_sent(second, "m") == "settled"
    order = []
    for _ in range(2):
        held = queue.take()
        order.append(held.job_id)
        queue.sent(held)
    assert order == [first, third]
    assert queue.claim(5) == []
    assert queue.states(second) == ["queued", "sent"]


def test_a_proof_for_a_scheduled_job_takes_it_off_the_schedule(queue: Bench) -> None:
    job_id = queue.put(at_in=60)
    assert queue.prove_sent(job_id, "m") == "settled"
    queue.sleep(61)
    assert queue.tick().entered == 0


def test_a_proof_for_an_unknown_job_is_refused(queue: Bench) -> None:
    with pytest.raises(UnknownJob):
        queue.prove_sent("01HXXXXXXXXXXXXXXXXXXXXXXX", "m")
    with pytest.raises(UnknownJob):
        queue.prove_not_sent("01HXXXXXXXXXXXXXXXXXXXXXXX", "f")


def test_not_sent_lets_the_job_in_doubt_go_on(queue: Bench) -> None:
    job_id, fence = _unsure(queue)
    assert queue.prove_not_sent(job_id, fence) == "retrying"
    assert queue.prove_not_sent(job_id, fence) == "stale"
    queue.tick()
    assert queue.take().attempt == 2


def test_not_sent_of_another_call_proves_nothing(queue: Bench) -> None:
    job_id, _ = _unsure(queue)
    assert queue.prove_not_sent(job_id, "another") == "stale"
    assert queue.state(job_id) == "settling"


def test_not_sent_of_a_call_whose_holder_still_waits_proves_nothing(queue: Bench) -> None:
    job_id = queue.put()
    held = queue.take()
    queue.begin(held)
    assert queue.prove_not_sent(job_id, held.fence) == "stale"
    assert queue.sent(held) == "ok"
    assert queue.prove_not_sent(job_id, held.fence) == "settled"


def test_not_sent_after_the_last_attempt_fails_the_job(queue: Bench) -> None:
    job_id, fence = _unsure(queue, max_attempts=1)
    assert queue.prove_not_sent(job_id, fence) == "failed"
    assert queue.state(job_id) == "failed"


def test_not_sent_of_a_job_that_was_to_be_cancelled_cancels_it(queue: Bench) -> None:
    job_id = queue.put()
    held = queue.take()
    assert queue.cancel(job_id) == "pending"
    queue.db.hset(queue.keys.conversation(held.conversation), "m", held.fence)  # begun before the wish was seen
    queue.done(held, "unsure", seconds=60)
    assert queue.prove_not_sent(job_id, held.fence) == "cancelled"
    assert queue.state(job_id) == "cancelled"
