"""The Celery application: where it listens."""

from __future__ import annotations

import pytest

from envoi.errors import BadSettings
from envoi.settings import Settings
from worker.app import make_app

OURS = "redis://127.0.0.1:6379/0"
VARIABLES = ("CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL")


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", VARIABLES)
def test_a_worker_that_would_listen_where_nobody_rings_does_not_start(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "redis://:sesame@elsewhere/0")
    with pytest.raises(BadSettings, match=f"{name}: must not be set, or be as ENVOI_REDIS_URL") as caught:
        make_app(Settings(redis_url=OURS))
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("value", ["", OURS])
def test_a_variable_that_changes_nothing_does_no_harm(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, value)
    conf = make_app(Settings(redis_url=OURS)).conf
    assert {conf.broker_url, conf.broker_read_url, conf.broker_write_url} == {OURS}
