"""Fixtures for pytest, which finds them by itself where Envoi is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from envoi.testing import FakeAsyncEnvoi, FakeEnvoi


@pytest.fixture
def fake_envoi() -> FakeEnvoi:
    """A double of the client, with an empty queue of its own (docs/testing.md)."""
    from envoi.testing import FakeEnvoi  # noqa: PLC0415  # only tests that ask for it pay for it

    return FakeEnvoi()


@pytest.fixture
def fake_async_envoi(fake_envoi: FakeEnvoi) -> FakeAsyncEnvoi:
    """A double of the client for asyncio, with the queue of ``fake_envoi``."""
    from envoi.testing import FakeAsyncEnvoi  # noqa: PLC0415  # as above

    return FakeAsyncEnvoi(fake_envoi)
