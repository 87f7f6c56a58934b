"""The checker finds a loss, a double, a swap and an interleaving, and nothing where nothing is wrong."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.check import Faults, faults, first_deliveries
from benchmarks.ledger import Entry
from benchmarks.work import Message, plan

WORK = plan(70, jobs=12, people=3, pages=2)


def calls(message: Message) -> list[Entry]:
    """The three calls of a job, done well."""
    return [step(message, "typing_on"), step(message, "message"), step(message, "typing_off")]


def step(message: Message, name: str, at: float = 0.0) -> Entry:
    return Entry(at, message.page, message.recipient, name, message.text if name == "message" else None)


def ledger(messages: Sequence[Message]) -> list[Entry]:
    return [entry for message in messages for entry in calls(message)]


def merged(lines: list[list[Entry]], choices: Sequence[int]) -> list[Entry]:
    """The calls of several people mixed up, each person's own in order."""
    left = [list(line) for line in lines if line]
    found = []
    for choice in choices:
        if not left:
            break
        line = left[choice % len(left)]
        found.append(line.pop(0))
        left = [line for line in left if line]
    return [*found, *(entry for line in left for entry in line)]


@given(st.lists(st.integers(0, 5), max_size=60))
def test_calls_to_different_people_may_mix_in_any_way(choices: list[int]) -> None:
    lines = [ledger(WORK[start : start + 4]) for start in (0, 4, 8)]
    assert faults(WORK, merged(lines, choices)) == Faults()


@given(st.sets(st.integers(0, 11)))
def test_every_message_that_is_not_there_is_lost(missing: set[int]) -> None:
    delivered = [message for place, message in enumerate(WORK) if place not in missing]
    assert faults(WORK, ledger(delivered)) == Faults(lost=len(missing))


def test_a_person_without_any_call_has_lost_all_messages() -> None:
    assert faults(WORK, ledger(WORK[4:])) == Faults(lost=4)


def test_each_delivery_after_the_first_is_a_double_and_no_swap() -> None:
    assert faults(WORK, ledger([*WORK, WORK[0], WORK[0]])) == Faults(doubled=2)


@pytest.mark.parametrize(("order", "reordered"), [((1, 0, 2, 3), 1), ((3, 0, 1, 2), 3), ((0, 1, 3, 2), 1)])
def test_each_message_after_a_later_one_to_the_same_person_is_reordered(order: Sequence[int], reordered: int) -> None:
    delivered = [*(WORK[place] for place in order), *WORK[4:]]
    assert faults(WORK, ledger(delivered)) == Faults(reordered=reordered)


def test_the_order_of_different_people_is_free() -> None:
    assert faults(WORK, ledger([*WORK[8:], *WORK[4:8], *WORK[:4]])) == Faults()


def test_two_jobs_of_one_person_at_once_are_both_interleaved_although_one_looks_whole() -> None:
    first, second = WORK[:2]
    mixed = [
        step(first, "typing_on"),
        step(second, "typing_on"),
        step(second, "message"),
        step(second, "typing_off"),
        step(first, "message"),
        step(first, "typing_off"),
    ]
    assert faults([first, second], mixed) == Faults(reordered=1, interleaved=2)


def test_a_bubble_opened_before_the_one_before_it_is_closed_is_interleaving() -> None:
    first, second = WORK[:2]
    mixed = [*calls(first)[:2], step(second, "typing_on"), step(first, "typing_off"), *calls(second)[1:]]
    assert faults([first, second], mixed) == Faults(interleaved=2)


@pytest.mark.parametrize("around", [("typing_on", "before"), ("typing_off", "after")])
def test_a_call_of_a_job_whose_message_is_lost_makes_its_neighbour_interleaved(around: tuple[str, str]) -> None:
    first, second = WORK[:2]
    stray = step(second, around[0])
    mixed = [stray, *calls(first)] if around[1] == "before" else [*calls(first), stray]
    assert faults([first, second], mixed) == Faults(lost=1, interleaved=1)


@pytest.mark.parametrize("left_out", ["typing_on", "typing_off"])
def test_a_message_without_its_typing_counts_as_interleaved(left_out: str) -> None:
    assert faults(WORK[:1], [entry for entry in calls(WORK[0]) if entry.step != left_out]) == Faults(interleaved=1)


def test_a_message_that_nobody_enqueued_is_foreign() -> None:
    extra = Message(WORK[0].page, WORK[0].recipient, "who wrote this?")
    assert faults(WORK, ledger([*WORK, extra])) == Faults(foreign=1)


def test_a_message_that_went_to_somebody_else_is_lost_and_foreign() -> None:
    astray = Message(WORK[4].page, WORK[4].recipient, WORK[0].text)
    assert faults(WORK, ledger([astray, *WORK[1:]])) == Faults(lost=1, foreign=1)


def test_the_same_person_id_at_two_pages_is_two_people() -> None:
    here, there = Message("1", "p0", "a"), Message("2", "p0", "b")
    mixed = [entry for pair in zip(calls(here), calls(there), strict=True) for entry in pair]
    assert faults([here, there], mixed) == Faults()


def test_faults_of_two_runs_add_up() -> None:
    assert Faults(1, 2, 3, 4, 5) + Faults(10, 20, 30, 40, 50) == Faults(11, 22, 33, 44, 55)


def test_the_first_delivery_counts_for_the_time() -> None:
    found = first_deliveries(
        [
            step(WORK[0], "typing_on", at=1.0),
            step(WORK[0], "message", at=2.0),
            step(WORK[0], "message", at=9.0),
        ]
    )
    assert found == {WORK[0].text: 2.0}
