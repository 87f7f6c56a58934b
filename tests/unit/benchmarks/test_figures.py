from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.check import Faults
from benchmarks.figures import figures, percentile
from benchmarks.run import Measurement
from benchmarks.table import ratios, table

ROUND = Measurement(
    jobs=100,
    missing=0,
    seconds=2.0,
    enqueue_seconds=0.1,
    cpu={"worker": 0.4, "redis": 0.1, "sql": 0.2, "stub": 0.5},
    worker_bytes=50_000_000,
    waits=[0.1, 0.2, 0.3, 0.4],
    faults=Faults(reordered=1),
)


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.99, 99), (0.991, 100), (1.0, 100), (0.001, 1)])
def test_percentiles_are_the_nearest_rank(share: float, value: int) -> None:
    assert percentile(list(range(1, 101)), share) == value


def test_figures_are_medians_of_the_rounds_and_faults_are_summed() -> None:
    slow = replace(ROUND, seconds=8.0, cpu={**ROUND.cpu, "worker": 4.0})
    slower = replace(ROUND, seconds=9.0, cpu={**ROUND.cpu, "worker": 0.5})
    found = figures([slow, ROUND, slower])
    assert found.cpu_ms["worker"] == pytest.approx(5.0)
    assert found.jobs_per_second == pytest.approx(12.5)
    assert found.faults == Faults(reordered=3)
    assert found.stub_load == pytest.approx(0.25)
    assert (found.p50, found.p99) == (0.2, 0.4)


def test_jobs_without_rows_do_not_count_as_done() -> None:
    assert figures([replace(ROUND, missing=50)]).jobs_per_second == pytest.approx(25)


def test_a_run_that_delivered_nothing_has_no_times_and_no_speed() -> None:
    found = figures([replace(ROUND, missing=100, waits=[])])
    assert (found.p50, found.p99, found.jobs_per_second) == (None, None, 0)
    assert " - " in table({(0.0, "usual"): found})


def test_the_table_has_a_line_for_each_peer_and_latency() -> None:
    drawn = table({(0.0, "usual"): figures([ROUND]), (0.1, "usual"): figures([ROUND])})
    assert [line.split("|")[1].strip() for line in drawn.splitlines()[2:]] == ["0 ms", "100 ms"]
    assert len({len(line) for line in drawn.splitlines()}) == 1


def test_ratios_compare_within_a_latency() -> None:
    ours = figures([replace(ROUND, seconds=0.5, cpu={**ROUND.cpu, "worker": 0.04})])
    found = ratios({(0.0, "usual"): figures([ROUND]), (0.0, "envoi"): ours, (0.1, "usual"): figures([ROUND])}, "envoi")
    assert found == ["At 0 ms, envoi takes 1/10.0 of the worker CPU of usual, and does 4.0 times its jobs/s."]
