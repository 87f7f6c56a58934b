"""Addresses of the log, and its times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from envoi.log.columns import UtcDateTime
from envoi.log.database import open_log
from envoi.log.errors import LogError


@pytest.mark.parametrize("url", ["postgres://u@h/d", "postgresql://u@h/d", "postgresql+psycopg://u@h/d"])
def test_every_spelling_of_postgres_means_psycopg(url: str) -> None:
    assert open_log(url).dialect.driver == "psycopg"


@pytest.mark.parametrize(
    "url", ["", "hunter2", "mysql://u:hunter2@h/d", "oracle://u:hunter2@h/d", "no://u:hunter2@h/d"]
)
def test_another_address_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(LogError, match="ENVOI_DATABASE_URL") as raised:
        open_log(url)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("url", ["sqlite://", "postgresql://u@h/d"])
def test_a_time_comes_back_in_utc_whatever_its_zone(url: str) -> None:
    dialect = open_log(url).dialect
    moment = datetime(2030, 1, 2, 3, 4, 5, 678901, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    kind = UtcDateTime()
    stored = kind.process_bind_param(moment, dialect)
    back = kind.process_result_value(stored, dialect)
    assert back == moment
    assert back is not None
    assert back.tzinfo == UTC
    assert kind.process_bind_param(None, dialect) is None


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        UtcDateTime().process_bind_param(datetime(2030, 1, 1), open_log("sqlite://").dialect)  # noqa: DTZ001  # the fault
