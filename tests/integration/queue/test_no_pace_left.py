"""A page with a long queue and no pace left costs the pool nothing: counted in Redis's commands, not in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from envoi.job import Job
from envoi.queue.claim import Claim
from envoi.queue.page_commands import HoldPage
from tests.integration.queue.hands import PAGE, Bench

IMAGE = {"attachment": {"type": "image", "payload": {"url": "https://example.com/a.png"}}}


def commands(queue: Bench, act: Callable[[], object]) -> int:
    """How many commands Redis runs for this, those of scripts included."""

    def total() -> int:
        return sum(found["calls"] for found in queue.db.info("commandstats").values())

    before = total()
    act()
    return total() - before - 1


def broadcast(queue: Bench, message: Any, people: int) -> None:
    """A job for each of very many people."""
    for first in range(0, people, 500):
        some = range(first, first + 500)
        queue.enqueue([Job(page=PAGE, recipient=str(n), message=message, lane="bulk") for n in some])


def claim(queue: Bench) -> list[str]:
    """The pages of what one claim of an idle worker brings."""
    [catch] = queue.trip([Claim(32, f"idle{queue.now()}")])
    return [held.job["page"] for held in catch.claimed]


def costs_nothing(queue: Bench, idle: int) -> None:
    """No claim of an idle worker brings anything or looks long, and nobody is woken."""
    assert claim(queue) == [], "a hint of when to come back may be corrected once"
    assert commands(queue, lambda: claim(queue)) <= idle + 2
    queue.db.delete(queue.keys.bells)
    queue.tick()
    assert queue.bells() == 0


def test_a_page_without_pace_is_not_looked_at_again_and_again_and_others_cost_what_they_did(queue: Bench) -> None:
    def replies() -> None:
        queue.enqueue([Job(page="2", recipient=str(n), message="x") for n in range(20)])
        assert claim(queue) == ["2"] * 20

    def answered() -> None:
        queue.db.delete(*queue.db.keys(f"{queue.keys.base}?:2/*"), queue.keys.page("2"), f"{queue.keys.base}lease")

    replies()
    answered()
    alone, idle = commands(queue, replies), commands(queue, lambda: claim(queue))
    answered()
    queue.configure(PAGE, pace=0.01)
    broadcast(queue, "hello", 100_000)
    assert claim(queue) == [PAGE]
    costs_nothing(queue, idle)
    assert commands(queue, replies) <= alone + 6
    answered()
    costs_nothing(queue, idle)
    queue.configure(PAGE, pace=1000.0)
    queue.trip([HoldPage(PAGE, 100.0)])
    costs_nothing(queue, idle)
    queue.pause(PAGE, "asked")
    costs_nothing(queue, idle)


def test_media_without_pace_are_not_looked_at_again_and_again(queue: Bench) -> None:
    idle = commands(queue, lambda: claim(queue))
    queue.configure(PAGE, media_pace=0.01)
    broadcast(queue, IMAGE, 5_000)
    assert claim(queue) == [PAGE]
    costs_nothing(queue, idle)
