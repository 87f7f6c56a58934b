"""What a number of jobs a second needs, from what a job costs."""

from __future__ import annotations

import pytest

from benchmarks.estimate import estimate, told

COSTS = {"worker": 0.35, "scheduler": 0.1, "redis": 0.2, "sql": 0.07, "stub": 9.0}


def test_a_cell_is_bound_by_its_redis_or_its_log_writer_whichever_is_dearer() -> None:
    found = estimate(0.1, COSTS, 10_000)
    assert found.bound == "redis"
    assert found.jobs_of_a_cell == pytest.approx(3500)
    assert found.cells == 3
    assert estimate(0.1, {**COSTS, "scheduler": 0.4}, 10_000).bound == "scheduler"


def test_workers_and_sql_take_cores_by_the_job_and_conversations_by_the_latency() -> None:
    found = estimate(0.1, COSTS, 10_000)
    assert found.worker_cores == pytest.approx(5.0)
    assert found.sql_cores == pytest.approx(1.0)
    assert found.in_flight == 3000
    assert estimate(0.0, COSTS, 10_000).in_flight == 0


def test_it_is_told_in_words() -> None:
    assert told(0.1, COSTS, 10_000).startswith("10,000 jobs/s, calls of 100 ms: 3 cells of 3,500 jobs/s (their redis")
