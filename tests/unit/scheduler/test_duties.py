"""Each duty at its own pace; none stops another."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from envoi.errors import QueueUnavailable
from envoi.queue.server import UnfitRedis
from scheduler.duties import Duties
from scheduler.troubles import Troubles


class Clock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Told:
    """A duty that does what its list says: an answer, or an error to raise; then nothing more."""

    def __init__(self, name: str, period: float, clock: Clock, *turns: bool | Exception) -> None:
        self.name = name
        self.period = period
        self.at: list[float] = []
        self._clock = clock
        self._turns: Iterator[bool | Exception] = iter(turns)

    def turn(self) -> bool:
        self.at.append(round(self._clock.now, 3))
        turn = next(self._turns, False)
        if isinstance(turn, Exception):
            raise turn
        return turn


def play(duties: Duties, clock: Clock, until: float) -> None:
    """Turn as a scheduler does, sleeping exactly as long as it is told."""
    for _ in range(1000):
        clock.now += max(duties.turn(), 1e-4)
        if clock.now > until:
            return
    pytest.fail("the duties turn without end")


def test_each_duty_has_its_own_period() -> None:
    clock = Clock()
    slow, fast = Told("slow", 1.0, clock), Told("fast", 0.25, clock)
    play(Duties([slow, fast], Troubles(clock), clock), clock, until=101.9)
    assert slow.at == pytest.approx([100.0, 101.0], abs=0.01)
    assert fast.at == pytest.approx([100 + n / 4 for n in range(8)], abs=0.01)


def test_a_duty_with_more_to_do_is_turned_again_at_once() -> None:
    clock = Clock()
    duty = Told("due", 1.0, clock, True, True, False)
    duties = Duties([duty], Troubles(clock), clock)
    assert [duties.turn(), duties.turn(), duties.turn()] == [0.0, 0.0, 1.0]
    assert duty.at == [100.0] * 3


def test_an_outage_stops_neither_the_duty_nor_the_others_and_is_told_once() -> None:
    clock = Clock()
    outage = [QueueUnavailable("Redis did not answer")] * 4
    broken, sound = Told("broken", 0.5, clock, *outage), Told("sound", 0.5, clock)
    duties = Duties([broken, sound], Troubles(clock), clock)
    with capture_logs() as lines:
        play(duties, clock, until=102.2)
    assert [line["event"] for line in lines] == ["Redis did not answer", "works again"]
    assert len(sound.at) == 5
    record = duties.records["broken"]
    assert (record.turns, record.failures, record.error) == (7, 4, None)
    assert record.ended == pytest.approx(102.0, abs=0.02)


def test_a_fault_of_ours_is_told_with_its_traceback_and_stops_nothing() -> None:
    clock = Clock()
    broken, sound = Told("broken", 0.5, clock, ValueError("a fault")), Told("sound", 0.5, clock)
    duties = Duties([broken, sound], Troubles(clock), clock)
    with capture_logs() as lines:
        duties.turn()
    assert isinstance(lines[0]["exc_info"], ValueError)
    assert duties.records["broken"].error == "ValueError: a fault"
    assert sound.at == [100.0]


def test_a_redis_that_drops_jobs_ends_the_scheduler() -> None:
    clock = Clock()
    duties = Duties([Told("gate", 1.0, clock, UnfitRedis("it evicts"))], Troubles(clock), clock)
    with pytest.raises(UnfitRedis):
        duties.turn()


def test_the_record_says_how_late_a_turn_began() -> None:
    clock = Clock()
    duties = Duties([Told("due", 1.0, clock)], Troubles(clock), clock)
    duties.turn()
    clock.now += 3.5
    duties.turn()
    assert duties.records["due"].late == pytest.approx(2.5)
