"""Quotas that are used up or nearly so: holds and slowed paces, of a page or of all pages of an app."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from envoi.queue.begin import Go, No
from envoi.queue.claim import Claim, Claimed
from envoi.queue.page_commands import HoldPage, PausePage, SlowPage
from envoi.queue.queued_page import QueuedPage
from envoi.queue.slowing import DOUBLING, LEAST, regrown
from tests.integration.queue.hands import PAGE, Bench


def gap(queue: Bench, held: Claimed) -> float:
    """Seconds that one message call leaves until the page's next one."""
    before = queue.now()
    assert isinstance(queue.begin(held), Go)
    return float(queue.db.hget(queue.keys.page(PAGE), "slot")) - before


def known(queue: Bench) -> QueuedPage:
    """What the queue says of the page, by the clock of the test."""
    return QueuedPage.read(queue.db.hmget(queue.keys.page(PAGE), *QueuedPage.FIELDS), queue.now())


def test_a_throttle_of_the_app_holds_every_page_of_it_until_it_ends(queue: Bench) -> None:
    queue.put("1")
    begun = queue.take()
    queue.put("1", page="2")
    queue.trip([HoldPage(PAGE, 30.0, "app")])
    answer = queue.begin(begun)
    assert isinstance(answer, No)
    assert answer.why == "pace"
    assert 29 < answer.seconds <= 30
    [catch] = queue.trip([Claim(5, "f")])
    assert catch.claimed == []
    assert 29 < catch.next_in <= 30
    queue.db.delete(queue.keys.bells)
    queue.tick()
    assert queue.bells() == 0, "nobody is woken in vain"
    queue.put("1", page="3")
    queue.db.delete(queue.keys.bells)
    queue.tick()
    assert queue.bells() == 0, "nor for a page that comes into the hold"
    queue.sleep(30)
    queue.renew("w", [(begun.conversation, begun.fence)])
    queue.tick()
    assert queue.bells() == 1
    assert isinstance(queue.begin(begun), Go)
    assert {held.job["page"] for held in queue.claim(5)} == {"2", "3"}


def taken(queue: Bench, page: str) -> Claimed:
    """The only job of a page, held."""
    queue.put("1", page=page)
    return queue.take()


def test_a_throttle_of_one_app_leaves_the_pages_of_another_alone(queue: Bench) -> None:
    queue.introduce("2", 1, pace=None, cap=None, app="42")
    queue.introduce("3", 1, pace=None, cap=None, app="42")
    begun = [taken(queue, page) for page in (PAGE, "2", "3")]
    queue.trip([HoldPage("2", 30.0, "app")])
    for page in (PAGE, "2", "3"):
        queue.put("2", page=page)
    assert [type(queue.begin(held)) for held in begun] == [Go, No, No]
    assert [held.job["page"] for held in queue.claim(5)] == [PAGE]


def test_a_page_that_moves_to_another_app_leaves_the_hold_of_the_first(queue: Bench) -> None:
    queue.introduce(PAGE, 1, pace=None, cap=None, app="42")
    queue.trip([HoldPage(PAGE, 30.0, "app")])
    queue.put("1")
    assert queue.claim(1) == []
    queue.introduce(PAGE, 2, pace=None, cap=None, app=None)
    queue.sleep(30)  # the sets still say when the old app would have been free
    queue.trip([HoldPage("2", 30.0, "app"), HoldPage(PAGE, 0.0)])
    assert queue.claim(1) == [], "the default app is held now"


def test_a_slowed_page_begins_less_often_and_its_pace_grows_back(queue: Bench) -> None:
    queue.configure(PAGE, pace=10.0)
    for person in range(4):
        queue.put(str(person))
    held = queue.claim_all(4)
    queue.trip([SlowPage(PAGE, 0.25)])
    assert gap(queue, held[0]) == pytest.approx(0.4, abs=0.02)
    queue.sleep(DOUBLING)
    queue.renew("w", [(one.conversation, one.fence) for one in held])
    assert gap(queue, held[1]) == pytest.approx(0.2, abs=0.02)
    queue.sleep(DOUBLING)
    queue.renew("w", [(one.conversation, one.fence) for one in held])
    assert gap(queue, held[2]) == pytest.approx(0.1, abs=0.02)
    queue.sleep(1000.0)
    queue.tick()
    assert known(queue).part == 1.0


def test_claims_of_a_slowed_app_are_spread_for_each_of_its_pages(queue: Bench) -> None:
    queue.introduce(PAGE, 1, pace=10.0, cap=None, app="42")
    queue.trip([SlowPage(PAGE, 0.1, "app")])
    for person in range(5):
        queue.put(str(person))
        queue.put(str(person), page="2")
    claimed = [held.job["page"] for held in queue.claim(20)]
    assert claimed.count(PAGE) == 1
    assert claimed.count("2") == 5, "the other app has all its pace"
    queue.sleep(1.0)
    assert len(queue.claim(20)) == 1


def test_what_asks_for_less_than_is_asked_already_changes_nothing(queue: Bench) -> None:
    queue.trip([SlowPage(PAGE, 0.3)])
    before = queue.db.hgetall(queue.keys.page(PAGE))
    queue.trip([SlowPage(PAGE, 0.5), SlowPage(PAGE, 1.0)])
    assert queue.db.hgetall(queue.keys.page(PAGE)) == before
    queue.sleep(DOUBLING)
    queue.trip([SlowPage(PAGE, 0.5)])
    assert known(queue).part == pytest.approx(0.5, abs=0.02)


def test_after_a_hold_the_pace_grows_from_its_least(queue: Bench) -> None:
    queue.configure(PAGE, pace=10.0)
    queue.put("1")
    held = queue.take()
    queue.trip([HoldPage(PAGE, 20.0)])
    assert known(queue).held_until is not None
    queue.sleep(20.0)
    assert known(queue).held_until is None
    queue.renew("w", [(held.conversation, held.fence)])
    assert gap(queue, held) == pytest.approx(1.0, abs=0.05)
    queue.trip([HoldPage(PAGE, 20.0, "app")])
    queue.sleep(20.0 + 20.0 / 6)
    queue.put("2")
    assert gap(queue, queue.take()) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(("hold", "doubling"), [(0.6, 0.1), (6.0, 1.0), (600.0, DOUBLING)])
def test_after_a_short_hold_the_pace_comes_back_sooner(queue: Bench, hold: float, doubling: float) -> None:
    queue.configure(PAGE, pace=1.0)
    queue.put("1")
    held = queue.take()
    queue.trip([HoldPage(PAGE, hold)])
    queue.sleep(hold + doubling)
    queue.db.zadd(f"{queue.keys.base}lease", {held.conversation: queue.now() + 100})
    assert known(queue).part == pytest.approx(2 * LEAST, rel=0.02)
    assert gap(queue, held) == pytest.approx(1 / (2 * LEAST), rel=0.05)


def test_a_hold_within_a_longer_one_does_not_bring_the_pace_back_sooner(queue: Bench) -> None:
    queue.configure(PAGE, pace=1.0)
    queue.trip([HoldPage(PAGE, 60.0), HoldPage(PAGE, 0.6)])
    queue.sleep(60.0 + DOUBLING)
    assert known(queue).part == pytest.approx(2 * LEAST, rel=0.02)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pace=st.sampled_from([0.5, 10.0, 1000.0]),
    acts=st.lists(
        st.one_of(
            st.builds(SlowPage, st.just(PAGE), st.floats(-1, 2), st.sampled_from(["page", "app"])),
            st.builds(HoldPage, st.just(PAGE), st.floats(0, 100), st.sampled_from(["page", "app"])),
            st.floats(0, 40),
        ),
        max_size=8,
    ),
)
def test_whatever_slows_a_page_its_pace_is_never_above_its_own_and_never_below_a_tenth(
    queue: Bench, pace: float, acts: list[SlowPage | HoldPage | float]
) -> None:
    queue.db.flushdb()
    queue.db.set(queue.keys.template, "{}")
    queue.open()
    queue.configure(PAGE, pace=pace)
    queue.put("1")
    held = queue.take()
    for act in acts:
        if isinstance(act, float):
            queue.sleep(act)
        else:
            queue.trip([act])
    slot = float(queue.db.hget(queue.keys.page(PAGE), "slot") or 0)
    app = float(queue.db.hget(queue.keys.page("*"), "slot") or 0)
    queue.sleep(max(0.0, slot - queue.now(), app - queue.now()))
    queue.db.zadd(f"{queue.keys.base}lease", {held.conversation: queue.now() + 100})
    between = gap(queue, held)
    assert 0.99 / pace <= between <= 1.01 / (pace * LEAST)


@pytest.mark.parametrize("part", [0.1, 0.37, 1.0])
@pytest.mark.parametrize("seconds", [0.0, 3.0, 10.0, 1e9])
def test_scripts_and_python_agree_how_a_pace_grows(queue: Bench, part: float, seconds: float) -> None:
    queue.configure(PAGE, pace=1.0)
    queue.put("1")
    held = queue.take()
    queue.trip([SlowPage(PAGE, part)])
    queue.sleep(seconds)
    queue.db.zadd(f"{queue.keys.base}lease", {held.conversation: queue.now() + 100})
    if seconds == 1e9:  # the job has expired long since: what claim makes of it is enough
        assert known(queue).part == 1.0
    else:
        assert gap(queue, held) == pytest.approx(1 / regrown(part, seconds), rel=0.01, abs=0.02)
        assert known(queue).part == pytest.approx(regrown(part, seconds), rel=0.01)


def test_a_pages_limits_and_app_are_set_and_unset_in_one_step(queue: Bench) -> None:
    queue.introduce(PAGE, 3, pace=2.5, cap=7, app="42")
    assert queue.db.hgetall(queue.keys.page(PAGE)) == {"tv": "3", "pace": "2.5", "cap": "7", "ap": "42"}
    queue.introduce(PAGE, 4, pace=None, cap=None, app=None)
    assert queue.db.hgetall(queue.keys.page(PAGE)) == {"tv": "4"}


def test_the_queue_tells_of_pages_what_it_knows(queue: Bench) -> None:
    queue.introduce(PAGE, 3, pace=None, cap=None, app="42")
    queue.trip([PausePage(PAGE, "190", 3)])
    queue.resume("2")
    paused, unknown = queue.pages([PAGE, "2"])
    assert (paused.reason, paused.token_version, paused.app, paused.part) == ("190", 3, "42", 1.0)
    assert (unknown.paused_since, unknown.token_version, unknown.app, unknown.held_until) == (None, 0, None, None)
    assert queue.pages([]) == []
