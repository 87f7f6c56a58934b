"""Health and readiness of a scheduler, its samplers, and the kinds of pauses."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import cast

import pytest
from prometheus_client import generate_latest
from prometheus_client.core import Metric

from envoi.errors import QueueUnavailable
from envoi.metrics import families
from envoi.metrics.exposition import exposed
from envoi.settings import Settings
from scheduler.due import DueTimes
from scheduler.duties import Duties
from scheduler.lease import Lease
from scheduler.log_writer import LogWriter
from scheduler.metrics import SchedulerMetrics
from scheduler.queue_sample import kind_of
from scheduler.sampler import OLD, Sampler
from scheduler.troubles import Troubles
from tests.integration.scheduler.hands import Clock
from tests.unit.metrics.scrape import Labels, samples


class Duty:
    """One that does nothing, or fails."""

    period = 1.0

    def __init__(self, name: str) -> None:
        self.name = name
        self.shut, self.late = False, 0.25
        self.error: Exception | None = None

    def turn(self) -> bool:
        if self.error:
            raise self.error
        return False


class Writer:
    """What a log writer has copied."""

    def __init__(self) -> None:
        self.states = {"sent": 3, "failed": 1}


class House:
    """A scheduler's parts, by hand."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.troubles = Troubles(self.clock)
        self.gate, self.due = Duty("gate"), Duty("due")
        self.duties = Duties([self.gate, self.due], self.troubles, self.clock)
        self.lease = Lease("{envoi}:log", 10.0, self.clock)
        self.queue = Sampler("queue", self.read, 5.0, self.troubles, self.clock)
        self.bells: float | Exception = 7.0
        self.shown = SchedulerMetrics(
            Settings(),
            duties=self.duties,
            due=cast(DueTimes, self.due),
            log_writer=cast(LogWriter, Writer()),
            leases={"log_writer": self.lease},
            troubles=self.troubles,
            samplers=[self.queue],
            clock=self.clock,
        )

    def read(self) -> Sequence[Metric]:
        if isinstance(self.bells, Exception):
            raise self.bells
        return [exposed(families.BELLS, self.bells)]

    def scrape(self) -> dict[str, dict[Labels, float]]:
        return samples(generate_latest(self.shown.registry).decode())


@pytest.fixture
def house() -> House:
    return House()


def test_a_scheduler_whose_duties_are_done_is_healthy_and_ready(house: House) -> None:
    assert house.shown.healthy().good
    assert not house.shown.ready().good  # nothing has been done yet
    house.duties.turn()
    assert house.shown.ready().good


def test_one_whose_duties_stand_still_is_neither(house: House) -> None:
    house.duties.turn()
    house.clock.now += 61
    assert house.shown.healthy().wrong == ("its duties have stood still for 61 s",)
    assert not house.shown.ready().good


def test_one_whose_redis_is_away_is_healthy_and_not_ready(house: House) -> None:
    house.duties.turn()
    house.due.error = QueueUnavailable("Redis did not answer")
    for _ in range(100):
        house.clock.now += 1
        house.duties.turn()
    assert house.shown.healthy().good
    assert house.shown.ready().wrong == ("what is due is not moved: QueueUnavailable: Redis did not answer",)


def test_one_whose_gate_is_shut_is_not_ready_and_says_why(house: House) -> None:
    house.due.shut = True
    house.gate.error = QueueUnavailable("no epoch")
    house.duties.turn()
    assert house.shown.ready().wrong == ("the gate is shut: QueueUnavailable: no epoch",)


def test_one_that_was_stopped_is_not_ready(house: House) -> None:
    house.duties.turn()
    house.shown.stop()
    assert house.shown.ready().wrong == ("it stops",)


def test_every_duty_shows_when_it_was_done_last_how_late_it_was_and_how_often_it_failed(house: House) -> None:
    house.due.error = QueueUnavailable("away")
    house.duties.turn()
    house.clock.now += 1.5
    house.duties.turn()
    found = house.scrape()
    assert list(found["envoi_duty_last_run_timestamp_seconds"]) == [(("duty", "gate"),)]
    assert found["envoi_duty_failures_total"] == {(("duty", "gate"),): 0, (("duty", "due"),): 2}
    assert found["envoi_duty_in_trouble"] == {(("duty", "gate"),): 0, (("duty", "due"),): 1}
    assert found["envoi_duty_late_seconds"][(("duty", "gate"),)] == 0.5
    assert found["envoi_duty_leads"] == {(("duty", "log_writer"),): 0}
    assert found["envoi_events_logged_total"] == {(("state", "sent"),): 3, (("state", "failed"),): 1}
    assert found["envoi_due_late_seconds"] == {(): 0.25}


def test_a_sample_is_shown_until_it_is_old_and_its_age_goes_on(house: House) -> None:
    assert "envoi_bells" not in house.scrape()
    house.queue.turn()
    assert house.scrape()["envoi_bells"] == {(): 7}
    house.clock.now += OLD - 1
    assert house.scrape()["envoi_bells"] == {(): 7}
    house.clock.now += 2
    found = house.scrape()
    assert "envoi_bells" not in found
    assert found["envoi_sample_age_seconds"] == {(("of", "queue"),): OLD + 1}


def test_a_sampler_outlasts_an_outage(house: House) -> None:
    stop = threading.Event()
    house.bells = QueueUnavailable("away")

    def read() -> Sequence[Metric]:
        try:
            return house.read()
        finally:
            if not isinstance(house.bells, Exception):
                stop.set()
            house.bells = 3.0

    Sampler("queue", read, 0.0, house.troubles, house.clock).run(stop)
    assert house.troubles.tallies()["sample_queue"].failures == 1
    assert house.troubles.now() == {}


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("190/460: password changed", "token"),
        ("102: session invalid", "token"),
        ("no token for page 1", "token"),
        ("the token of page 1 cannot be decrypted", "token"),
        ("10: permission not granted", "permission"),
        ("230: permission missing", "permission"),
        ("10/1893063: temporarily restricted", "restricted"),
        ("368: deemed abusive", "restricted"),
        ("policy enforcement: warning", "restricted"),
        ("by an operator", "operator"),
        ("", "operator"),
    ],
)
def test_a_pause_is_of_one_of_few_kinds(reason: str, kind: str) -> None:
    assert kind_of(reason) == kind
