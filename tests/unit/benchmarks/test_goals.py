"""What the smaller benchmarks make of their figures: tables, ratios, and whether a goal was reached."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks import enqueue, guard, scale
from benchmarks.check import Faults
from benchmarks.enqueue import Speed
from benchmarks.figures import PARTS, Figures
from benchmarks.idle import first_calls
from benchmarks.known import OURS, PEERS, peers_here
from benchmarks.ledger import Entry

FIGURES = Figures(
    jobs=100,
    rounds=1,
    cpu_ms={"worker": 1.0},
    jobs_per_second=100.0,
    p50=None,
    p99=None,
    worker_mb=1.0,
    missing=0,
    faults=Faults(),
    stub_load=0.1,
)


@pytest.mark.parametrize(
    ("usual", "envoi", "good", "says"),
    [
        (10.0, 1.0, True, "0.100 of it, within the 0.1"),
        (10.0, 1.1, False, "0.110 of it, over the 0.1"),
    ],
)
def test_the_guard_compares_with_the_usual_task_of_the_same_run(
    usual: float, envoi: float, says: str, *, good: bool
) -> None:
    told, fine = guard.verdict({"usual": usual, "envoi": envoi}, 0.1)
    assert fine is good
    assert says in told


def test_the_limit_of_the_guard_is_read_from_its_file() -> None:
    assert 0 < guard.limit() < 1


@pytest.mark.parametrize(("two", "grown"), [(180.0, True), (179.0, False)])
def test_a_second_worker_is_to_bring_four_fifths_more(two: float, *, grown: bool) -> None:
    found = {1: FIGURES, 2: replace(FIGURES, jobs_per_second=two)}
    assert scale.grows(found) is grown


def test_growth_that_was_not_measured_is_no_failure() -> None:
    assert scale.grows({2: FIGURES, 4: FIGURES})


def test_the_table_of_scale_says_how_many_times_the_fewest_workers_do() -> None:
    loads = dict.fromkeys((1, 2), dict.fromkeys(PARTS, 0.25))
    found = {1: FIGURES, 2: replace(FIGURES, jobs_per_second=190.0)}
    assert "| 2 | 190 | 1.90 | 0.25 |" in scale.table(found, loads)


@pytest.mark.parametrize(
    ("per_second", "cpu_ms", "good"), [(10_000.0, 0.5, True), (9_999.0, 0.5, False), (10_000.0, 0.51, False)]
)
def test_enqueueing_is_to_be_fast_in_bulk_and_cheap_one_by_one(per_second: float, cpu_ms: float, *, good: bool) -> None:
    speeds = [Speed("envoi send_many", 1, per_second, 0.05, 0.02), Speed("envoi send", 1, 1.0, cpu_ms, 0.1)]
    assert enqueue.reached(speeds) is good


def test_the_table_of_enqueueing_has_a_line_for_each_way() -> None:
    assert enqueue.table([Speed("bullmq addBulk", 20_000, 12_345.6, 0.0301, 0.022)]).splitlines()[2:] == [
        "| bullmq addBulk | 20000 | 12,346 | 0.030 | 0.022 |"
    ]


def test_the_first_call_of_each_person_is_found() -> None:
    ledger = [
        Entry(1.0, "p", "x", "typing_on"),
        Entry(1.5, "p", "y", "typing_on"),
        Entry(2.0, "p", "x", "message", "t"),
    ]
    assert first_calls(ledger) == {"x": 1.0, "y": 1.5}


def test_envoi_and_the_usual_task_can_always_be_measured() -> None:
    assert {"usual", OURS} <= set(peers_here()) <= set(PEERS)
