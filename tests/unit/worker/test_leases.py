"""The lease keeper's turns, on a queue and an engine that keep what they are told."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest

from envoi.errors import QueueUnavailable
from envoi.queue.conversation_questions import Questions
from envoi.queue.keys import Keys
from envoi.queue.queue import Queue
from envoi.settings import Settings
from tests.waiting import PATIENCE, wait_until
from worker.engine import Engine
from worker.leases import LeaseKeeper
from worker.restarts import Restarts

TIME = 20.0  # seconds that anything here may take
LEASE = 0.6


class ScriptedQueue(Queue):
    """A queue in which some leases are lost."""

    def __init__(self) -> None:
        self.questions = Questions(Settings(lease=LEASE), Keys())
        self.run = "run1"
        self.lost: set[tuple[str, str]] = set()
        self.renewals: list[int] = []
        self.left: list[str] = []
        self.errors: list[Exception] = []
        self.stands_still = threading.Event()
        self.standing = threading.Event()
        self.goes_on = threading.Event()
        self.wiped = False

    def has_template(self) -> bool:
        return not self.wiped

    def run_id(self) -> str:
        if self.stands_still.is_set():
            self.standing.set()
            self.goes_on.wait(PATIENCE)
        if self.errors:
            raise self.errors.pop()
        return self.run

    def renew(self, worker: str, held: Sequence[tuple[str, str]]) -> int:
        del worker
        self.renewals.append(len(held))
        return len(set(held) - self.lost)

    def leave(self, worker: str) -> None:
        self.left.append(worker)


class ScriptedRestarts(Restarts):
    """What the engine knows of the run of Redis, as the test says."""

    def __init__(self) -> None:
        self.told_run: str | None = None
        self.attention = threading.Event()


class ScriptedEngine(Engine):
    """An engine that keeps what the keeper tells it."""

    def __init__(self) -> None:
        self.name = "w1"
        self.restarts = ScriptedRestarts()
        self.holds: list[tuple[str, str]] = []
        self.said: list[str] = []
        self.kept: list[tuple[str, str]] = []

    def held(self) -> list[tuple[str, str]]:
        return self.holds

    def renewed(self, held: Sequence[tuple[str, str]], asked: float) -> None:
        assert asked <= time.monotonic()
        self.kept = list(held)

    def redis_restarted(self, run_id: str) -> None:
        self.said.append(f"restarted {run_id}")

    def same_run(self, asked: float) -> None:
        assert asked <= time.monotonic()
        self.said.append("same run")

    def registered(self) -> None:
        self.said.append("registered")


@pytest.fixture
def queue() -> ScriptedQueue:
    return ScriptedQueue()


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture
def keeper(queue: ScriptedQueue, engine: ScriptedEngine) -> LeaseKeeper:
    return LeaseKeeper(queue, engine, lambda: engine.said.append("template"))


def test_the_first_run_is_told_to_the_engine_before_it_counts_as_registered(
    keeper: LeaseKeeper, engine: ScriptedEngine
) -> None:
    keeper.turn()
    keeper.turn()
    assert engine.said == ["restarted run1", "registered", "same run"]


def test_another_run_is_never_called_the_same_in_the_turn_that_finds_it(
    keeper: LeaseKeeper, engine: ScriptedEngine, queue: ScriptedQueue
) -> None:
    keeper.turn()
    engine.said.clear()
    queue.run = "run2"
    keeper.turn()
    assert engine.said == ["restarted run2", "template"]


def test_one_lost_lease_keeps_no_other_from_being_renewed(
    keeper: LeaseKeeper, engine: ScriptedEngine, queue: ScriptedQueue
) -> None:
    engine.holds = [(f"c{number}", f"f{number}") for number in range(32)]
    queue.lost = {engine.holds[5], engine.holds[31]}
    keeper.turn()
    assert engine.kept == [pair for pair in engine.holds if pair not in queue.lost]
    assert len(queue.renewals) <= 20


def test_who_was_not_heard_of_for_a_lease_registers_again(
    keeper: LeaseKeeper, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    keeper.turn()
    now[0] += LEASE - 0.1
    keeper.turn()
    assert engine.said.count("registered") == 1
    now[0] += LEASE + 0.1
    keeper.turn()
    assert engine.said.count("registered") == 2


@pytest.mark.parametrize("error", [QueueUnavailable("away"), ValueError("a defect")])
def test_no_error_ends_the_keeper(
    keeper: LeaseKeeper, engine: ScriptedEngine, queue: ScriptedQueue, error: Exception
) -> None:
    keeper.start()
    queue.errors = [error]
    before = len(queue.renewals)
    calls = engine.restarts.attention.set
    wait_until(lambda: not queue.errors and len(queue.renewals) > before, "a renewal", meanwhile=calls)
    keeper.stop(TIME)


def test_attention_shortens_the_wait_but_turns_never_follow_each_other_at_once(
    queue: ScriptedQueue, engine: ScriptedEngine
) -> None:
    queue.settings = Settings(lease=600.0)
    keeper = LeaseKeeper(queue, engine, lambda: None)
    began = time.monotonic()
    keeper.start()
    wait_until(lambda: len(queue.renewals) >= 4, "four renewals", meanwhile=engine.restarts.attention.set)
    assert time.monotonic() - began >= 3 * 0.1
    keeper.stop(TIME)


@pytest.mark.parametrize(("told", "leave"), [("run1", True), ("run0", True), ("run1", False)])
def test_the_register_is_left_only_by_who_holds_nothing_and_has_told_this_run_everything(
    keeper: LeaseKeeper, engine: ScriptedEngine, queue: ScriptedQueue, told: str, leave: bool
) -> None:
    keeper.start()
    engine.restarts.told_run = told
    keeper.stop(TIME, leave=leave)
    assert queue.left == (["w1"] if (told, leave) == ("run1", True) else [])


def test_a_redis_that_stands_still_does_not_hold_the_stop(keeper: LeaseKeeper, queue: ScriptedQueue) -> None:
    keeper.start()
    queue.stands_still.set()
    assert queue.standing.wait(TIME)
    keeper.stop(0.2)
    assert keeper._thread.is_alive(), "it was not waited for"
    queue.goes_on.set()


def test_a_wiped_redis_in_the_same_run_gets_its_bell_again(
    keeper: LeaseKeeper, engine: ScriptedEngine, queue: ScriptedQueue
) -> None:
    keeper.turn()
    keeper.turn()
    assert "template" not in engine.said
    queue.wiped = True
    keeper.turn()
    assert engine.said[-1] == "template"
