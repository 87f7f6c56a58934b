"""A rig on an empty Redis, and one sandbox process for all of these tests, as new for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from tests.integration.sandbox.client import Client, sandbox_process
from tests.integration.settling.rig import Rig


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with sandbox_process(tmp_path_factory.mktemp("sandbox")) as (_, client):
        yield client


@pytest.fixture
def meta(running: Client) -> Client:
    """A sandbox that nothing has happened in."""
    running.control("POST", "reset")
    return running


@pytest.fixture
def make_rig(redis_client: redis.Redis, meta: Client) -> Iterator[Callable[..., Rig]]:
    """Makes a rig, whose gate is open and whose engine runs."""
    made: list[Rig] = []

    def make(**settings: Any) -> Rig:
        rig = Rig(redis_client, meta, **settings)
        rig.open()
        made.append(rig)
        return rig

    yield make
    for rig in made:
        rig.close()


@pytest.fixture
def rig(make_rig: Callable[..., Rig]) -> Rig:
    return make_rig()
