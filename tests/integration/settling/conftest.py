"""A rig on an empty Redis and a new sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from tests.integration.sandbox.client import Client
from tests.integration.settling.rig import Rig


@pytest.fixture
def make_rig(redis_client: redis.Redis, sandbox: Client) -> Iterator[Callable[..., Rig]]:
    """Makes a rig, whose gate is open and whose engine runs."""
    made: list[Rig] = []

    def make(**settings: Any) -> Rig:
        rig = Rig(redis_client, sandbox, **settings)
        rig.open()
        made.append(rig)
        return rig

    yield make
    for rig in made:
        rig.close()


@pytest.fixture
def rig(make_rig: Callable[..., Rig]) -> Rig:
    return make_rig()
