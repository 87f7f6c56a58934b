"""What a scheduler says when it starts."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from structlog.testing import capture_logs

from envoi.settings import Settings
from scheduler.scheduler import Scheduler


@pytest.mark.parametrize(("version", "told"), [("v20.0", ["Graph API v20.0 has ended on 2026-09-24"]), ("v25.0", [])])
def test_it_warns_of_a_graph_version_that_has_ended(
    redis_url: str, sqlite_url: str, engine: Engine, version: str, told: list[str]
) -> None:
    del engine
    scheduler = Scheduler(Settings(redis_url=redis_url, database_url=sqlite_url, graph_version=version))
    with capture_logs() as lines:
        scheduler.start()
        scheduler.turn()
        scheduler.stop(20)
    found = [line["event"].partition(":")[0] for line in lines if line.get("action") == "graph_version"]
    assert found == told
    assert "register" in scheduler.records
