"""After a wipe, who was held is held and who had opted out has opted out, before any of their jobs can go."""

from __future__ import annotations

import pytest

from envoi.errors import InvalidJob
from tests.integration.recovery.house import House
from tests.integration.scheduler.hands import PAGE


def test_holds_and_opt_outs_come_back_with_the_jobs_under_them(house: House) -> None:
    held, opted_out, free = (house.put(person) for person in ("1", "2", "3"))
    house.queue.hold(f"{PAGE}/id/1")
    house.queue.opt_out(f"{PAGE}/id/2")
    house.log()
    house.log_standings()
    before = list(house.queue.holds(PAGE)), list(house.queue.opt_outs(PAGE))
    house.wipe(unlogged=0.0)

    house.recover()
    house.reopen()

    assert house.send_all() == [free]
    assert (house.state(held), house.state(opted_out)) == ("queued", "failed")
    [hold], [(_, since)] = house.queue.holds(PAGE), house.queue.opt_outs(PAGE)
    assert hold.since == pytest.approx(before[0][0].since, abs=1e-5)
    assert since == pytest.approx(before[1][0][1], abs=1e-5)
    with pytest.raises(InvalidJob):
        house.put("2")
    assert house.put("1")
    assert house.queue.lined(f"{PAGE}/id/1").waiting == 2


def test_a_head_that_was_held_is_in_doubt_only_where_a_release_may_have_been_lost(house: House) -> None:
    """And it takes nobody's place at the front of the page's waiting list."""
    held, *others = (house.put(str(person)) for person in range(40))
    house.queue.hold(f"{PAGE}/id/0")
    house.log()
    house.log_standings()
    house.wipe(unlogged=0.5)
    reach = 10  # messages a second in the half second, and a little; and two more in flight
    assert house.recover(lost=None).doubted == reach
    house.reopen()
    assert house.state(held) == "queued"
    assert [house.state(job_id) for job_id in others[:reach]] == ["settling"] * reach
    assert {house.state(job_id) for job_id in others[reach:]} == {"queued"}


def test_who_was_released_may_stand_at_the_end_and_takes_nobodys_place(house: House) -> None:
    first, *others = (house.put(str(person)) for person in range(40))
    for person in range(10):
        house.queue.hold(f"{PAGE}/id/{person}")
    begun = house.send()  # the claim that parks those before it
    for person in range(10):
        house.queue.release(f"{PAGE}/id/{person}")
    house.log()
    house.log_standings()
    house.wipe(unlogged=0.5)
    house.recover(lost=None)
    house.reopen()
    assert begun == others[9]
    assert {house.state(job_id) for job_id in others[10:18]} == {"settling"}, "those in front, at 10 messages a second"
    assert house.state(first) == "settling", "it may not have been parked"


def test_after_a_longer_gap_it_is_in_doubt(house: House) -> None:
    held = house.put("0")
    house.queue.hold(f"{PAGE}/id/0")
    house.log()
    house.log_standings()
    house.wipe(unlogged=house.queue.settings.loss_bound + 0.5)
    assert house.recover(lost=None).doubted == 1
    house.reopen()
    assert house.state(held) == "settling"


def test_scheduled_jobs_are_found_by_their_conversation_again(house: House) -> None:
    ids = [house.put("1", in_seconds=3600.0) for _ in range(2)]
    house.log()
    house.wipe(unlogged=0.0)
    house.recover()
    house.reopen()
    assert house.queue.lined(f"{PAGE}/id/1").scheduled == 2
    assert house.queue.clear(f"{PAGE}/id/1").cancelled == 2
    assert {house.state(job_id) for job_id in ids} == {"cancelled"}
