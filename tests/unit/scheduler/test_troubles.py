"""What lasts is told once a minute."""

from __future__ import annotations

from structlog.testing import capture_logs

from envoi.errors import QueueUnavailable
from envoi.log.errors import LogUnavailable
from scheduler.troubles import Troubles


class Clock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_trouble_that_lasts_is_told_at_once_and_then_once_a_minute() -> None:
    clock = Clock()
    troubles = Troubles(clock)
    with capture_logs() as lines:
        for turn in range(1250):  # 125 seconds
            clock.now = turn / 10
            troubles.tell("due", QueueUnavailable(f"Redis did not answer, try {turn}"))
    assert [line["event"] for line in lines] == [f"Redis did not answer, try {turn}" for turn in (0, 600, 1200)]
    assert [line.get("times") for line in lines] == [None, 601, 1201]
    assert {line["action"] for line in lines} == {"due"}


def test_another_trouble_of_the_same_part_is_told_at_once() -> None:
    troubles = Troubles(Clock())
    with capture_logs() as lines:
        for _ in range(5):
            troubles.tell("gate", QueueUnavailable("Redis did not answer"))
            troubles.tell("gate", LogUnavailable("SQL did not answer"))
            troubles.tell("due", QueueUnavailable("Redis did not answer"))
    assert [(line["action"], line["trouble"]) for line in lines] == [
        ("gate", "QueueUnavailable"),
        ("gate", "LogUnavailable"),
        ("due", "QueueUnavailable"),
    ]


def test_the_end_of_a_trouble_is_told_once_and_the_next_one_is_new() -> None:
    clock = Clock()
    troubles = Troubles(clock)
    with capture_logs() as lines:
        troubles.over("due")
        troubles.tell("due", QueueUnavailable("Redis did not answer"))
        clock.now = 7.04
        troubles.over("due")
        troubles.over("due")
        troubles.tell("due", QueueUnavailable("Redis did not answer"))
    assert [line["event"] for line in lines] == ["Redis did not answer", "works again", "Redis did not answer"]
    assert lines[1]["seconds"] == 7.0


def test_what_is_wrong_now_can_be_asked_for() -> None:
    troubles = Troubles(Clock())
    with capture_logs():
        troubles.tell("gate", QueueUnavailable("Redis did not answer"))
        troubles.tell("gate", LogUnavailable("SQL did not answer"))
        troubles.tell("due", QueueUnavailable("Redis did not answer"))
        troubles.over("due")
    assert troubles.now() == {"gate": ["LogUnavailable", "QueueUnavailable"]}
