"""Which conversations are looked into, when, how often, and what becomes of those that nobody looks into."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from envoi.events import GraphError
from envoi.job import Job
from envoi.queue.begin import Go
from envoi.queue.claim import Claimed
from envoi.queue.glances import Glance, LookIn, MayLook, NoLook, SkipLooks
from envoi.queue.looks import DueLook
from tests.integration.queue.hands import PAGE, Bench

WAIT = 150.0
GAP = 1 / 1.9  # seconds between the looks of a page


def unsure(queue: Bench, person: str = "1", **options: Any) -> tuple[str, Claimed]:
    """A job whose call got no answer."""
    job_id = queue.put(person, **options)
    held = queue.take()
    assert isinstance(queue.begin(held, settle_wait=WAIT), Go)
    queue.done(held, "unsure", seconds=WAIT, error=GraphError("read time-out"))
    return job_id, held


def look(queue: Bench) -> DueLook:
    [found] = queue.due_looks(4).looks
    return found


def test_early_looks_can_only_find_and_two_late_ones_may_prove_absence(queue: Bench) -> None:
    begun = queue.now()
    job_id, held = unsure(queue)
    settles = queue.now()
    seen: list[DueLook] = []
    while not (seen and seen[-1].last):
        queue.sleep(0.5)
        seen += queue.due_looks(4).looks
    times = [found.asked_at - settles for found in seen]
    assert times == pytest.approx([2, 10, 30, WAIT, WAIT + 15], abs=1.5)
    assert [found.absence_counts for found in seen] == [False, False, False, True, True]
    assert all(found.asked_at >= begun + WAIT for found in seen if found.absence_counts)
    assert [found.last for found in seen] == [False, False, False, False, True]
    assert {(found.job_id, found.mark, found.token_version) for found in seen} == {(job_id, held.fence, 0)}
    assert all(begun <= found.begun <= settles for found in seen)
    assert seen[0].job["message"] == {"text": "hello"}


def test_what_is_handed_out_is_handed_out_once(queue: Bench) -> None:
    unsure(queue)
    queue.sleep(2.5)
    assert look(queue)
    after = queue.due_looks(4)
    assert after.looks == []
    assert after.next_in == pytest.approx(7.5, abs=1.0)


def test_time_does_not_end_what_is_still_looked_into(queue: Bench) -> None:
    job_id, _ = unsure(queue)
    queue.due_looks(4)
    queue.sleep(WAIT + 1)
    queue.tick()
    assert queue.state(job_id) == "settling"
    assert not look(queue).last
    queue.sleep(16)
    found = look(queue)
    assert found.last
    assert queue.look_proved_nothing(found) == "unknown"
    assert queue.look_proved_nothing(found) == "stale"
    assert queue.state(job_id) == "unknown"
    assert queue.db.zcard(f"{queue.keys.base}look") == 0


def test_a_settler_that_is_gone_holds_nothing_up(queue: Bench) -> None:
    job_id, _ = unsure(queue)
    queue.due_looks(4)
    queue.db.delete(f"{queue.keys.base}settler")  # as after a minute without a word
    queue.sleep(WAIT + 1)
    queue.tick()
    assert queue.state(job_id) == "unknown"


def test_a_settler_that_never_gets_to_it_holds_it_up_for_a_stated_time(queue: Bench) -> None:
    job_id, _ = unsure(queue)
    queue.due_looks(4)
    queue.sleep(queue.settings.settle_longest - 5)
    queue.tick()
    assert queue.state(job_id) == "settling"
    queue.sleep(16)
    queue.tick()
    assert queue.state(job_id) == "unknown"


@pytest.mark.parametrize("recipient", [{"user_ref": "x"}, {"comment_id": "1_2"}])
def test_who_is_not_known_by_id_is_not_looked_for(queue: Bench, recipient: dict[str, str]) -> None:
    [job_id] = queue.enqueue([Job(page=PAGE, recipient=recipient, message="hello")])
    held = queue.take()
    queue.begin(held)
    queue.done(held, "unsure", seconds=WAIT)
    queue.due_looks(4)
    queue.sleep(WAIT + 1)
    assert queue.due_looks(4).looks == []
    queue.tick()
    assert queue.state(job_id) == "unknown"


def test_a_blind_page_is_left_to_time_and_its_other_jobs_too(queue: Bench) -> None:
    ids = [unsure(queue, person)[0] for person in ("1", "2")]
    queue.sleep(3)
    queue.skip_looks(look(queue).conversation, "blind")
    queue.sleep(WAIT)
    assert queue.due_looks(4).looks == []
    queue.tick()
    assert [queue.state(job_id) for job_id in ids] == ["unknown", "unknown"]


def test_a_job_that_met_the_end_of_its_pages_blindness_is_looked_for_afterwards(queue: Bench) -> None:
    unsure(queue, "1")
    queue.sleep(3)
    queue.skip_looks(look(queue).conversation, "blind")
    queue.sleep(queue.settings.look_blind - WAIT / 2)
    queue.tick()
    job_id, _ = unsure(queue, "2")
    queue.sleep(3)
    assert queue.due_looks(4).looks == []
    queue.sleep(WAIT)
    assert queue.due_looks(4).looks == []
    queue.tick()
    assert queue.state(job_id) == "settling"
    assert look(queue).job_id == job_id


def test_a_throttled_page_is_not_looked_into_until_it_may_be_again(queue: Bench) -> None:
    unsure(queue, "1")
    unsure(queue, "2")
    queue.sleep(3)
    queue.skip_looks(look(queue).conversation, "later", 60)
    for _ in range(6):
        queue.sleep(9)
        assert queue.due_looks(4).looks == []
    queue.sleep(7)
    assert len(queue.due_looks(4).looks) == 1


def test_a_page_has_its_looks_one_after_the_other_however_long_nobody_came(queue: Bench) -> None:
    for person in range(20):
        unsure(queue, str(person))
    queue.sleep(2.5)
    handed = [found.asked_at for found in queue.due_looks(20).looks]
    assert len(handed) == 1
    queue.sleep(8)  # nobody comes
    while len(handed) < 20:
        handed += [found.asked_at for found in queue.due_looks(20).looks]
        queue.sleep(0.05)
    assert min(later - earlier for earlier, later in pairwise(handed)) >= GAP - 0.001


def test_other_pages_are_looked_into_meanwhile(queue: Bench) -> None:
    for page in ("1", "2", "3"):
        unsure(queue, page=page)
        unsure(queue, "2", page=page)
    queue.sleep(2.5)
    assert sorted(found.job["page"] for found in queue.due_looks(8).looks) == ["1", "2", "3"]


def test_accepted_messages_and_echoes_of_others_are_known_and_no_more_than_some_are_kept(queue: Bench) -> None:
    for number in range(60):
        queue.put()
        held = queue.take()
        queue.begin(held)
        queue.done(held, "keep", message_id=f"m{number}", recipient_id="1")
        queue.done(held, "settle", message_id=f"m{number}", recipient_id="1")
    before = queue.now()
    unsure(queue)
    assert queue.foreign_echo(PAGE, "1", "foreign", queue.now())
    assert not queue.foreign_echo(PAGE, "1", "foreign", queue.now())
    assert not queue.foreign_echo(PAGE, "1", "long ago", queue.now() - 100_000)
    queue.sleep(3)
    known = look(queue).known
    assert 40 <= len(known) <= 48
    assert known["m59"] <= before < known["foreign"]
    assert 0 < queue.db.ttl(queue.keys.known(f"{PAGE}/id/1")) <= 86400


def test_a_message_to_somebody_known_by_a_comment_is_known_where_the_person_is_looked_for(queue: Bench) -> None:
    queue.enqueue([Job(page=PAGE, recipient={"comment_id": "1_2"}, message="hello")])
    held = queue.take()
    queue.begin(held)
    queue.done(held, "settle", message_id="m1", recipient_id="1")
    unsure(queue)
    queue.sleep(3)
    assert look(queue).known.keys() == {"m1"}


def test_an_unknown_that_may_be_sent_again_goes_on_while_it_has_attempts(queue: Bench) -> None:
    job_id, _ = unsure(queue, on_unknown="resend", max_attempts=2)
    for outcome in ("retrying", "unknown"):
        queue.due_looks(4)
        queue.sleep(WAIT + 16)
        assert queue.look_proved_nothing(look(queue)) == outcome
        queue.tick()
        for held in queue.claim():
            queue.begin(held, settle_wait=WAIT)
            queue.done(held, "unsure", seconds=WAIT)
    assert queue.state(job_id) == "unknown"


def test_without_a_settler_it_is_sent_again_when_the_time_is_up(queue: Bench) -> None:
    job_id, _ = unsure(queue, on_unknown="resend")
    queue.sleep(WAIT + 1)
    queue.tick()
    assert queue.state(job_id) == "retrying"


def test_a_call_with_an_answered_error_is_looked_for_from_its_own_beginning(queue: Bench) -> None:
    queue.put()
    held = queue.take()
    queue.begin(held)
    first = queue.now()
    queue.done(held, "keep", answered=True)
    queue.done(held, "retry", seconds=5, answered=True)
    queue.sleep(6)
    queue.tick()
    again = queue.take()
    assert again.look_from is not None
    assert again.look_from <= first
    queue.begin(again, settle_wait=WAIT)
    queue.done(again, "unsure", seconds=WAIT)
    queue.sleep(3)
    found = look(queue)
    assert found.begun == again.look_from
    queue.prove_not_sent(found.job_id, found.mark)
    queue.tick()
    assert queue.take().look_from is None  # that proof is about both


def test_a_call_that_never_left_calls_for_no_look(queue: Bench) -> None:
    queue.put()
    held = queue.take()
    queue.begin(held)
    queue.done(held, "retry")
    queue.tick()
    assert queue.take().look_from is None


def test_a_worker_gets_one_look_within_the_pages_budget(queue: Bench) -> None:
    queue.put("2")
    held = queue.take()
    ask = Glance(held.conversation, held.fence)
    assert isinstance(queue.trip([ask])[0], MayLook)
    wait = queue.trip([ask])[0]
    assert isinstance(wait, LookIn)
    assert wait.seconds == pytest.approx(GAP, abs=0.1)
    queue.sleep(GAP)
    assert isinstance(queue.trip([ask])[0], MayLook)  # the time it was promised
    assert queue.trip([Glance(held.conversation, "another")])[0] == NoLook()
    queue.trip([SkipLooks(held.conversation, "blind")])
    assert queue.trip([ask])[0] == NoLook()


@pytest.mark.parametrize("wait", [150.0, 210.0])
def test_a_lost_lease_waits_as_long_as_its_message_asks_for(queue: Bench, wait: float) -> None:
    queue.put()
    held = queue.take()
    queue.begin(held, settle_wait=wait)
    queue.sleep(31)
    rescued = queue.now()
    queue.tick()
    queue.sleep(wait - 1)
    assert not look(queue).absence_counts
    queue.sleep(rescued + wait + 0.1 - queue.now())
    assert look(queue).absence_counts


def test_suspects_are_looked_for_from_before_the_lost_moments_and_absence_clears_those_behind(queue: Bench) -> None:
    first, second = queue.put(), queue.put()
    queue.renew("dead", [])
    queue.sleep(5)
    queue.restart()
    queue.sleep(31)
    assert queue.look_over() == 1
    queue.open()
    queue.due_looks(4)
    queue.sleep(queue.settings.settle_wait + 1)
    found = look(queue)
    assert (found.job_id, found.absence_counts) == (first, True)
    assert found.begun <= queue.since - queue.settings.loss_bound
    assert queue.prove_not_sent(first, found.mark) == "retrying"
    queue.tick()
    assert queue.take().job_id == first
    assert queue.state(second) == "queued"


def test_a_suspect_that_is_found_leaves_those_behind_it_to_looks_of_their_own(queue: Bench) -> None:
    first, second = queue.put(), queue.put()
    queue.renew("dead", [])
    queue.sleep(5)
    queue.restart()
    queue.sleep(31)
    queue.look_over()
    queue.open()
    queue.sleep(3)
    found = look(queue)
    assert queue.prove_sent(first, "m1") == "settled"
    assert queue.state(second) == "settling"
    queue.sleep(3)
    behind = look(queue)
    assert behind.job_id == second
    assert behind.begun == found.begun
    assert "m1" in behind.known
