"""What the usage headers ask for, and how often the queue is told."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from envoi.queue.page_commands import HoldPage, SlowPage
from envoi.queue.slowing import LEAST, part_at, regrown
from worker.restraint import Restraints, stronger
from worker.usage import Quota, Usage


def test_the_part_of_the_pace_falls_evenly_from_80_to_95_percent() -> None:
    assert [round(part_at(percent), 6) for percent in (0, 80, 85, 90, 95, 1000)] == [1.0, 1.0, 0.7, 0.4, 0.1, 0.1]


@given(st.floats(0, 1e9), st.floats(0, 1e12))
def test_a_part_is_never_more_than_all_and_never_nothing(percent: float, seconds: float) -> None:
    assert LEAST <= part_at(percent) <= regrown(part_at(percent), seconds) <= 1.0


def test_the_same_news_is_told_again_only_after_it_has_grown_back_noticeably() -> None:
    now = [0.0]
    restraints = Restraints(60.0, lambda: now[0])
    news = Usage(page=Quota(90.0))
    assert restraints.asked_by(news, "1", None) == (SlowPage("1", part_at(90.0)),)
    told = 0
    for _ in range(100):  # 10 s of a job each 0.1 s
        now[0] += 0.1
        told += len(restraints.asked_by(news, "1", None))
    assert 2 <= told <= 4


def test_pages_and_apps_are_told_apart() -> None:
    restraints = Restraints(60.0, lambda: 0.0)
    usage = Usage(app=Quota(90.0), page=Quota(96.0))
    part = part_at(90.0)
    assert restraints.asked_by(usage, "1", None) == (SlowPage("1", part, "app"), HoldPage("1", 60.0))
    assert restraints.asked_by(usage, "2", None) == (HoldPage("2", 60.0),), "its app is slowed already"
    assert restraints.asked_by(usage, "3", "42") == (SlowPage("3", part, "app"), HoldPage("3", 60.0))
    assert restraints.asked_by(Usage(page=Quota(10.0, 300.0)), "1", None) == (HoldPage("1", 300.0),)
    assert restraints.asked_by(Usage(Quota(80.0), Quota(50.0)), "1", None) == ()


def test_a_hold_is_stronger_than_a_slowing_and_the_longer_or_slower_of_two_wins() -> None:
    hold, slow = HoldPage("1", 5.0), SlowPage("1", 0.5)
    assert stronger(None, slow) == slow
    assert stronger(slow, hold) == stronger(hold, slow) == hold
    assert stronger(hold, HoldPage("1", 9.0)) == HoldPage("1", 9.0)
    assert stronger(slow, SlowPage("1", 0.2)) == SlowPage("1", 0.2)
