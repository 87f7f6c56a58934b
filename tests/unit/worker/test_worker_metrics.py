"""Health and readiness of a worker go by its progress."""

from __future__ import annotations

import math
from typing import cast

import pytest
from prometheus_client import generate_latest

from envoi.metrics.exposition import registry_of
from envoi.settings import Settings
from tests.unit.metrics.scrape import samples
from worker.counts import Counts
from worker.engine import Engine
from worker.leases import LeaseKeeper
from worker.metrics import WorkerMetrics
from worker.progress import Progress


class Parts:
    """An engine and a lease keeper that fare as the test says."""

    def __init__(self) -> None:
        self.fares = Progress(turned_ago=0.1, running=3, calling=2, away=False, shut=False)
        self.heard_ago = 1.0
        self.now = 1000.0

    def progress(self) -> Progress:
        return self.fares


@pytest.fixture
def parts() -> Parts:
    return Parts()


@pytest.fixture
def worker(parts: Parts) -> WorkerMetrics:
    rules = Settings(lease=30.0, shutdown_time=25.0)
    return WorkerMetrics(rules, Counts(10), cast(Engine, parts), cast(LeaseKeeper, parts), lambda: parts.now)


def test_one_that_waits_for_its_servers_is_healthy_and_not_ready(worker: WorkerMetrics, parts: Parts) -> None:
    parts.heard_ago = math.inf
    assert worker.healthy().good
    assert not worker.ready().good
    parts.now += 300
    worker.trying()
    assert worker.healthy().good
    parts.now += 61  # one try that never ends
    assert not worker.healthy().good


def test_one_whose_engine_turns_is_healthy_and_ready(worker: WorkerMetrics) -> None:
    worker.started()
    assert worker.healthy().good
    assert worker.ready().good


def test_one_whose_engine_stands_still_is_neither(worker: WorkerMetrics, parts: Parts) -> None:
    worker.started()
    parts.fares = Progress(turned_ago=16.0, running=3, calling=0, away=False, shut=False)
    assert worker.healthy().wrong == ("the engine has stood still for 16 s",)
    assert worker.ready().wrong == ("the engine has stood still for 16 s",)


@pytest.mark.parametrize(
    ("fares", "heard_ago", "why"),
    [
        (Progress(0.1, 0, 0, away=True, shut=None), 1.0, "Redis does not answer"),
        (Progress(0.1, 0, 0, away=False, shut=None), 1.0, "it has not asked the queue for work yet"),
        (Progress(0.1, 0, 0, away=False, shut=True), 1.0, "the gate is shut"),
        (Progress(0.1, 0, 0, away=False, shut=False), 31.0, "Redis has taken no renewal"),
    ],
)
def test_one_that_cannot_work_now_is_healthy_and_not_ready(
    worker: WorkerMetrics, parts: Parts, fares: Progress, heard_ago: float, why: str
) -> None:
    worker.started()
    parts.fares, parts.heard_ago = fares, heard_ago
    assert worker.healthy().good
    assert [each.startswith(why) for each in worker.ready().wrong] == [True]


def test_one_that_stops_is_not_ready_and_healthy_as_long_as_it_may_take(worker: WorkerMetrics, parts: Parts) -> None:
    worker.started()
    worker.closed()
    parts.fares = Progress(turned_ago=30.0, running=0, calling=0, away=False, shut=False)  # its engine has ended
    assert not worker.ready().good
    parts.now += 30
    worker.closed()
    assert worker.healthy().good
    parts.now += 6
    assert not worker.healthy().good


def test_how_it_fares_is_shown(worker: WorkerMetrics) -> None:
    worker.started()
    found = samples(generate_latest(registry_of(worker.collect)).decode())
    assert found["envoi_attempts_in_flight"] == {(): 3}
    assert found["envoi_calls_in_flight"] == {(): 2}
    assert found["envoi_concurrency"] == {(): 32}
    assert found["envoi_engine_turn_age_seconds"] == {(): 0.1}
    assert found["envoi_ready"] == found["envoi_healthy"] == {(): 1}
