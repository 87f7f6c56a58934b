from __future__ import annotations

from itertools import groupby

from benchmarks.work import plan


def test_each_person_gets_a_burst_from_one_page_and_no_two_texts_are_alike() -> None:
    messages = plan(70, jobs=10, people=4, pages=3)
    bursts = [(who, len(list(group))) for who, group in groupby(messages, key=lambda one: one.recipient)]
    assert bursts == [("70", 3), ("71", 2), ("72", 3), ("73", 2)]
    assert len({(message.recipient, message.page) for message in messages}) == 4
    assert len({message.page for message in messages}) == 3
    assert len({message.text for message in messages}) == 10


def test_there_are_never_more_people_than_messages() -> None:
    assert len({message.recipient for message in plan(70, jobs=3, people=100, pages=1)}) == 3
