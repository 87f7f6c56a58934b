"""The order in which an engine hears, asks and goes on, and how much it claims."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest

from envoi.errors import QueueUnavailable
from envoi.queue.begin import Begin, Go
from envoi.queue.claim import Catch, Claim, Claimed
from envoi.queue.done import Done
from envoi.queue.queue import Queue
from envoi.settings import Settings
from envoi.states import State
from tests.unit.worker.attempt import held
from worker.appetite import Appetite
from worker.dialogue import RIGHT, Dialogue
from worker.recall import Told
from worker.restarts import Restarts
from worker.running import Running, Wish
from worker.trips import Trips
from worker.walks import Walks

ROOM = 4


class House:
    """A dialogue whose queue, attempts and appetite are played by the test.

    Attributes:
        seen: what departed, as the scripts' names, and who went on, by their fences.
        answers: to the trip that is on its way; an error: Redis does not answer.
        hungry: whether it is time to claim.
    """

    def __init__(self) -> None:
        self.seen: list[object] = []
        self.answers: list[object] | Exception = []
        self.hungry = False
        self.trips = SimpleNamespace(asked=None, due=True, depart=self._depart, answers=self._answers, came=None)
        self.walks = SimpleNamespace(
            running={}, wishes=[], stopping=threading.Event(), resume=self._resume, start=self._start
        )
        appetite = SimpleNamespace(soon=lambda: None, asking=lambda: None, fed=lambda *_, **__: None)
        restarts = SimpleNamespace(to_tell=False, when_shut=None, away=False, see_gate=lambda **_: None)
        self.dialogue = Dialogue(
            cast("Queue", SimpleNamespace(settings=Settings(concurrency=ROOM))),
            "e",
            trips=cast("Trips", self.trips),
            walks=cast("Walks", self.walks),
            appetite=cast("Appetite", _Hunger(self, appetite)),
            restarts=cast("Restarts", restarts),
        )

    def attempt(self, fence: str) -> Running:
        """One on its way."""
        claimed = held()
        claimed.fence = fence
        self.walks.running[fence] = found = cast(
            "Running", SimpleNamespace(held=claimed, told=Told(claimed), right_ends=0.0)
        )
        return found

    def turn(self) -> None:
        """As the engine turns."""
        self.dialogue.hear()
        self.dialogue.ask()
        self.dialogue.go_on()

    def _depart(self, wishes: list[Wish]) -> None:
        self.seen.append([wish.command.script for wish in wishes])
        self.trips.asked = SimpleNamespace(wishes=wishes, at=0.0, until=9.0)

    def _answers(self, asked: object, when_shut: object) -> list[object]:
        del asked, when_shut
        self.trips.asked = None
        if isinstance(self.answers, Exception):
            raise self.answers
        return self.answers

    def _resume(self, running: Running, value: object) -> None:
        del value
        self.seen.append(running.held.fence)

    def _start(self, claimed: Claimed, right_ends: float) -> None:
        del right_ends
        self.attempt(claimed.fence)


class _Hunger:
    """An appetite that is there whenever the test says so."""

    def __init__(self, house: House, other: Any) -> None:  # a namespace
        self._house = house
        self._other = other

    @property
    def next_claim(self) -> float:
        return float("-inf") if self._house.hungry else float("inf")

    def __getattr__(self, name: str) -> Any:  # whatever it has
        return getattr(self._other, name)


@pytest.fixture
def house() -> House:
    return House()


def begin(running: Running) -> Wish:
    return Wish(Begin(running.held, None, []), running)


def keep(running: Running) -> Wish:
    return Wish(Done(running.held, "keep", [], message_id="m_1"), running, waits=False)


def end(running: Running) -> Wish:
    return Wish(Done(running.held, "settle", [], state=State.SENT, message_id="m_1"), running)


def test_what_was_asked_meanwhile_departs_before_the_answered_go_on(house: House) -> None:
    one, other = house.attempt("one"), house.attempt("other")
    house.walks.wishes.append(begin(one))
    house.turn()
    house.walks.wishes.append(begin(other))
    house.answers = [Go(0.0)]
    house.turn()
    assert house.seen == [["begin"], ["begin"], "one"]
    assert one.told.marked  # noted before anything else departed
    assert not other.told.marked


def test_who_only_told_the_queue_something_is_not_resumed_by_its_answer(house: House) -> None:
    one = house.attempt("one")
    house.walks.wishes.append(keep(one))
    house.turn()
    house.answers = ["ok"]
    house.turn()
    assert house.seen == [["done"]]
    assert [done.op for done in one.told.dones] == ["keep"]


def test_a_trip_that_fails_is_asked_again_before_what_came_after_it(house: House) -> None:
    one = house.attempt("one")
    house.walks.wishes.append(keep(one))
    house.turn()
    house.walks.wishes.append(end(one))
    house.answers = QueueUnavailable("no answer")
    with pytest.raises(QueueUnavailable):
        house.turn()
    assert [wish.command.op for wish in house.walks.wishes] == ["keep", "settle"]
    assert one.told.dones == []


def test_a_claim_asks_for_the_room_that_there_is_once_what_ends_has_ended(house: House) -> None:
    runners = [house.attempt(name) for name in "abc"]
    house.hungry = True
    house.turn()
    claim = house.trips.asked.wishes[-1].command
    assert isinstance(claim, Claim)
    assert claim.want == ROOM - 3
    caught = [held() for _ in range(1)]
    caught[0].fence = "d"
    house.answers = [Catch(caught, None)]
    house.hungry = False
    house.dialogue.hear()
    assert not house.dialogue.has_room  # what was claimed has not begun yet, and counts all the same
    house.walks.wishes.append(end(runners[0]))
    house.hungry = True
    house.dialogue.ask()
    claim = house.trips.asked.wishes[-1].command
    assert claim.want == 1
    house.dialogue.go_on()
    assert set(house.walks.running) == set("abcd")


def test_what_has_ended_leaves_its_room_before_its_attempt_goes_on(house: House) -> None:
    runners = [house.attempt(name) for name in "abcd"]
    assert not house.dialogue.has_room
    house.walks.wishes.append(end(runners[0]))
    house.turn()
    assert not house.dialogue.has_room  # whether it has ended is not known yet
    house.answers = ["ok"]
    house.dialogue.hear()
    assert house.dialogue.has_room


@pytest.mark.parametrize(("renew", "right_ends"), [(True, Settings().lease * RIGHT), (False, 0.0)])
def test_a_right_lasts_longer_only_where_the_lease_was_renewed(house: House, renew: bool, right_ends: float) -> None:
    one = house.attempt("one")
    house.walks.wishes.append(Wish(Begin(one.held, None, [], renew=renew), one))
    house.turn()
    house.answers = [Go(0.0)]
    house.turn()
    assert one.right_ends == right_ends


def test_nothing_is_claimed_once_it_stops(house: House) -> None:
    house.hungry = True
    house.walks.stopping.set()
    house.turn()
    assert house.seen == []
