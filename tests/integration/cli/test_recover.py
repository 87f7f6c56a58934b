"""The command ``envoi recover``."""

from __future__ import annotations

import pytest
import redis
from sqlalchemy import Engine

from envoi.client import open_queue
from scheduler.log_writer import LogWriter
from tests.integration.cli.conftest import Run


def test_recover_puts_back_what_a_wiped_redis_lost(
    run: Run, queue_open: redis.Redis, migrated: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENVOI_LEASE", "0.1")
    job = run("send", "100", "7", "hello", "--json").json["id"]
    writer = LogWriter(open_queue(), migrated)
    while writer.turn():
        pass
    assert "nothing to recover" in run("recover", status=1).err
    queue_open.flushall()
    assert "envoi scheduler" in run("send", "100", "7", "no", status=1).err
    planned = run("recover", "--dry-run", "--json", "--lost", "0").json
    assert (planned["jobs"], planned["waiting_heads_in_doubt"]) == (1, 0)
    done = run("recover", "--json", "--lost", "0").json
    assert (done["jobs"], done["doubted"]) == (1, 0)
    assert run("status", job, "--json").json["state"] == "queued"
    assert run("recover", "--missing", "--json").json["jobs"] == []
    writer.release()


def test_lost_must_be_seconds(run: Run) -> None:
    assert "must be seconds" in run("recover", "--lost", "-1", status=2).err
    assert "does not go with --missing" in run("recover", "--missing", "--lost", "1", status=2).err
