"""Either side of the contract."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
import redis

from tests.integration.double.rigs import Double, Real, Rig
from tests.integration.queue.hands import movable_clock


@pytest.fixture
def make_rig(request: pytest.FixtureRequest) -> Iterator[Callable[..., Rig]]:
    """Makes a rig of the side that the test is run for."""
    if request.param == "double":
        yield lambda **options: Double(time.time(), **options)
        return
    db: redis.Redis = request.getfixturevalue("redis_client")
    with movable_clock():
        yield lambda **options: Real(db, **options)


@pytest.fixture
def rig(make_rig: Callable[..., Rig]) -> Rig:
    """A client and the world around it, once real and once the double."""
    return make_rig()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "make_rig" in metafunc.fixturenames:
        metafunc.parametrize("make_rig", ["real", "double"], indirect=True)
