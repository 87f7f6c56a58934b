"""What is kept of the past for a Redis that may have lost it, and how it is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from redis.exceptions import ResponseError

from envoi.errors import QueueUnavailable
from envoi.events import CallRecord
from envoi.queue.begin import Begin, Begun
from envoi.queue.claim import Claimed
from envoi.queue.commands import Command
from envoi.queue.done import Done
from envoi.queue.queue import Queue
from envoi.queue.restart import Grip
from envoi.states import State
from tests.unit.worker.attempt import held
from worker.recall import Recall, Told

KEPT = 5.0


class ScriptedQueue(Queue):
    """Keeps what it is told, in order. It may fail at one command, or stop answering after some trips."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.trips = 0
        self.broken: Command | None = None
        self.trips_left = 1000

    def trip(self, commands: Sequence[Command], when_shut: Callable[[], None] | None = None) -> list[Any]:
        assert when_shut is None, "what is told again does not ask for more of it"
        if self.trips_left == 0:
            raise QueueUnavailable("away")
        self.trips_left -= 1
        self.trips += 1
        if self.broken in commands:
            raise ResponseError("broken")
        self.told += commands
        return ["ok"] * len(commands)

    def reassert(self, worker: str, run_id: str, held: Sequence[Any], *, back: bool = True) -> int:
        self.told.append((worker, run_id, list(held), back))
        return len(held)


def told(name: str, *ops: str, marked: bool = False) -> Told:
    claimed: Claimed = replace(held(), job_id=name, fence=f"f-{name}")
    made = Told(claimed, marked)
    for op in ops:
        made.dones.append(Done(claimed, op, [], state=State.SENT, message_id="m"))  # type: ignore[arg-type]  # ops as text
    return made


def tell(recall: Recall, queue: ScriptedQueue, running: Sequence[Told] = ()) -> None:
    recall.tell_again(queue, "w1", "run2", running, lambda: None)


def in_short(queue: ScriptedQueue) -> list[Any]:
    return [f"{one.held.job_id} {one.op}" if isinstance(one, Done) else one for one in queue.told]


def test_what_ended_is_told_first_and_in_order_then_what_is_held_and_whether_its_call_is_marked() -> None:
    recall, queue = Recall(KEPT), ScriptedQueue()
    recall.ended(told("a", "keep", "settle"))
    recall.ended(told("b", "settle"))
    typing, calling = told("c", "keep"), told("d", marked=True)
    tell(recall, queue, [typing, calling])
    *before, last = in_short(queue)
    assert before == ["a keep", "a settle", "b settle", "c keep"]
    reasserted = [Grip.of(typing.held, marked=False), Grip.of(calling.held, marked=True)]
    assert last == ("w1", "run2", reasserted, True)


def test_the_calls_that_a_begin_told_come_before_all_else_that_was_said_of_the_attempt() -> None:
    recall, queue = Recall(KEPT), ScriptedQueue()
    calls = [CallRecord("typing_on", 1.0, 2.0, "Unknown")]
    ended, running = told("a"), told("b")
    for one in (ended, running):
        one.begun(Begin(one.held, None, calls), go=True)
        one.begun(Begin(one.held, None, calls), go=False)  # asked again: it may start all the same
        assert one.marked
    ended.done(Done(ended.held, "settle", [], state=State.SENT, message_id="m"))
    assert not ended.marked
    recall.ended(ended)
    tell(recall, queue, [running])
    assert queue.told[:-1] == [Begun(ended.held, calls), ended.dones[0], Begun(running.held, calls)]


def test_only_what_the_run_that_was_told_everything_can_no_longer_lose_is_forgotten() -> None:
    recall = Recall(KEPT)
    recall.ended(told("a", "settle"))
    now = time.monotonic()
    recall.forget(now + KEPT - 0.5)
    assert len(recall) == 1
    recall.forget(now + KEPT + 0.5)
    assert len(recall) == 0


def test_what_is_told_again_is_kept_as_if_it_had_ended_now(monkeypatch: pytest.MonkeyPatch) -> None:
    recall, queue = Recall(KEPT), ScriptedQueue()
    recall.ended(told("a", "settle"))
    later = time.monotonic() + 10 * KEPT
    monkeypatch.setattr(time, "monotonic", lambda: later)
    tell(recall, queue)
    recall.forget(later + KEPT - 0.5)
    assert len(recall) == 1


def test_a_redis_that_stops_answering_meanwhile_is_told_all_of_it_again() -> None:
    recall, queue = Recall(KEPT), ScriptedQueue()
    for number in range(150):
        recall.ended(told(f"j{number}", "settle"))
    queue.trips_left = 1
    with pytest.raises(QueueUnavailable):
        tell(recall, queue)
    queue.told, queue.trips_left = [], 1000
    tell(recall, queue)
    assert in_short(queue)[:-1] == [f"j{number} settle" for number in range(150)]


def test_thousands_are_told_in_few_trips_and_each_trip_counts_as_progress() -> None:
    recall, queue = Recall(KEPT), ScriptedQueue()
    for number in range(1000):
        recall.ended(told(f"j{number}", "settle"))
    moved: list[int] = []
    recall.tell_again(queue, "w1", "run2", [], lambda: moved.append(queue.trips))
    assert moved == list(range(1, 11))


def test_one_command_that_its_script_refuses_keeps_no_other_from_being_told() -> None:
    recall, queue = Recall(KEPT), ScriptedQueue()
    ends = [told(name, "settle") for name in "abc"]
    for end in ends:
        recall.ended(end)
    queue.broken = ends[1].dones[0]
    tell(recall, queue)
    assert in_short(queue)[:-1] == ["a settle", "c settle"]
    assert queue.told[-1] == ("w1", "run2", [], True)
