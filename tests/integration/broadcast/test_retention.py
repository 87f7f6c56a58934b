"""Broadcasts leave the log as jobs do, in small steps, and never before they have ended."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, func, select
from structlog.testing import capture_logs

from envoi.log.tables import broadcast_recipients, broadcasts
from envoi.queue.queue import Queue
from envoi.settings import Settings
from scheduler import prune
from scheduler.prune import Pruner
from tests.integration.broadcast.house import Dead, House, some

DAY = 86_400.0
RULES = Settings(keep_texts=10 * DAY, keep_jobs=30 * DAY)


@pytest.fixture
def after(house: House) -> Callable[[float], int]:
    """Prunes so many days later. Returns how many steps had more to do."""

    def go(days: float) -> int:
        pruner = Pruner(Queue(house.queue.redis, RULES), house.engine, clock=lambda: time.time() + days * DAY)
        steps = 0
        while pruner.turn():
            steps += 1
        pruner.release()
        return steps

    return go


def left(engine: Engine) -> tuple[int, int, int]:
    """Broadcasts, those with a text, recipients."""
    wanted = select(
        select(func.count()).select_from(broadcasts).scalar_subquery(),
        select(func.count()).where(broadcasts.c.payload.is_not(None)).scalar_subquery(),
        select(func.count()).select_from(broadcast_recipients).scalar_subquery(),
    )
    with engine.connect() as connection:
        found = connection.execute(wanted).one()
    return found[0], found[1], found[2]


def test_first_the_text_goes_then_the_recipients_then_the_broadcast(
    house: House, after: Callable[[float], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prune, "BATCH", 4)
    house.go_on(house.load(some(10)).id)
    after(9.9)
    assert left(house.engine) == (1, 1, 10)
    after(10.1)
    assert left(house.engine) == (1, 0, 10)
    with capture_logs() as lines:
        assert after(30.1) >= 3  # recipients in steps of four
    assert sum(line["broadcasts"] for line in lines if line["action"] == "prune") == 10 + 1, "rows that went"
    assert left(house.engine) == (0, 0, 0)


def test_what_has_not_ended_stays_however_old_it_is(house: House, after: Callable[[float], int]) -> None:
    loaded = house.load(some(3))
    house.store.pause(loaded.id)
    after(300)
    assert left(house.engine) == (1, 1, 3)


def test_what_was_never_loaded_to_its_end_goes_after_a_day(house: House, after: Callable[[float], int]) -> None:
    def dying() -> object:
        yield from some(2500)
        raise Dead

    with pytest.raises(Dead):
        house.load(dying())  # type: ignore[arg-type]  # a generator
    assert left(house.engine)[2] == 2000
    after(0.9)
    assert left(house.engine)[0] == 1
    after(1.1)
    assert left(house.engine) == (0, 0, 0)
