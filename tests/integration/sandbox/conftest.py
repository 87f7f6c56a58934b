"""One sandbox process for all tests that do not end it, as new for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.sandbox.client import Client, sandbox_process


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The process; what it writes must be nothing but its one line."""
    with sandbox_process(tmp_path_factory.mktemp("sandbox")) as (child, client):
        yield client
        child.stop()
        assert child.log.read_text() == f"sandbox ready on http://127.0.0.1:{client.port}\n"


@pytest.fixture
def client(running: Client) -> Client:
    """A client of a sandbox that nothing has happened in."""
    running.control("POST", "reset")
    return running
