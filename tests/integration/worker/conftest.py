"""An engine on a queue, with calls that the test answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from celery import Celery

from envoi.queue.queue import Queue
from envoi.settings import Settings
from tests.integration.worker.scripted import RULES, TIME, Ends, ScriptedGraph
from worker.app import make_app
from worker.bells import TASK
from worker.engine import Engine
from worker.lines import Lines


def nothing() -> None:
    """The task of a bell."""


@pytest.fixture
def app(redis_url: str) -> Iterator[Celery]:
    """Celery's app of a worker, whose bells do nothing."""
    made = make_app(Settings(redis_url=redis_url))
    made.task(name=TASK, shared=False)(nothing)
    yield made
    made.close()


@pytest.fixture
def graph() -> ScriptedGraph:
    return ScriptedGraph()


@pytest.fixture
def queue(redis_client: redis.Redis) -> Queue:
    made = Queue(redis_client, RULES)
    made.open_gate(made.run_id())
    return made


@pytest.fixture
def ends() -> Ends:
    return Ends()


@pytest.fixture(params=["waits for each trip", "works on meanwhile"])
def engine(queue: Queue, graph: ScriptedGraph, ends: Ends, request: pytest.FixtureRequest) -> Iterator[Engine]:
    lines = Lines(graph, RULES.concurrency) if request.param == "works on meanwhile" else None
    made = Engine(queue, graph, "w1", [ends], lines)
    made.start()
    yield made
    made.stop(TIME)
