"""An engine on a queue, with calls that the test answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from envoi.queue.queue import Queue
from tests.integration.worker.scripted import RULES, TIME, Ends, ScriptedGraph
from worker.engine import Engine


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


@pytest.fixture
def engine(queue: Queue, graph: ScriptedGraph, ends: Ends) -> Iterator[Engine]:
    made = Engine(queue, graph, "w1", [ends])
    made.start()
    yield made
    made.stop(TIME)
