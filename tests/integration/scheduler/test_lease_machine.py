"""Any number of schedulers, with turns, deaths and freezes in any order: no two think that they lead one work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

import redis
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from envoi.queue.connection import connect
from scheduler.keeper import Keeper
from scheduler.lease import Lease
from scheduler.troubles import Troubles
from tests.integration.scheduler.hands import Clock

# Of the moved clock, in true proportions; so long that nothing runs out in Redis by itself while a test runs.
LASTS, PERIOD, PATIENCE = 3600.0, 1200.0, 30_000.0
WORKS = ("{envoi}:a", "{envoi}:b")
EXAMPLES = int(os.environ.get("ENVOI_TEST_EXAMPLES", "30"))
WHO = st.integers(0, 2)
WORK = st.sampled_from(WORKS)


@dataclass
class House:
    """One scheduler. Frozen, it does nothing, and knows of no time that passes."""

    leases: dict[str, Lease]
    keeper: Keeper
    frozen: bool = False


class Machine(RuleBasedStateMachine):
    """Redis runs out what nobody renews: by the moved clock, here."""

    client: redis.Redis

    def __init__(self) -> None:
        super().__init__()
        self.client.delete(*WORKS)
        self.clock = Clock()
        self.ends: dict[str, float] = {}
        self.houses = [self._house(number) for number in range(3)]
        self.made = len(self.houses)

    def _house(self, number: int) -> House:
        leases = {work: Lease(work, PATIENCE, self.clock) for work in WORKS}
        return House(leases, Keeper(self.client, f"s{number}", leases, Troubles(self.clock), self.clock))

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Note when what is renewed meanwhile would run out."""
        for work in WORKS:
            self.client.persist(work)
        yield
        for work in WORKS:
            if self.client.pttl(work) > 0:
                self.ends[work] = self.clock.now + LASTS

    @rule(who=WHO, work=WORK)
    def turn(self, who: int, work: str) -> None:
        house = self.houses[who]
        if not house.frozen:
            with self._asking():
                held = house.leases[work].hold(self.client)
            house.leases[work].note_run()
            assert held == house.leases[work].mine

    @rule(who=WHO)
    def keep(self, who: int) -> None:
        house = self.houses[who]
        if not house.frozen:
            with self._asking():
                house.keeper.turn()

    @rule(who=WHO, work=WORK)
    def give_back(self, who: int, work: str) -> None:
        if not self.houses[who].frozen:
            self.houses[who].leases[work].release(self.client)

    @rule(who=WHO)
    def freeze_or_wake(self, who: int) -> None:
        self.houses[who].frozen = not self.houses[who].frozen

    @rule(who=WHO)
    def die_and_be_replaced(self, who: int) -> None:
        self.houses[who] = self._house(self.made)
        self.made += 1

    @rule(seconds=st.sampled_from([1.0, PERIOD, LASTS, LASTS + 1, PATIENCE]))
    def pass_time(self, seconds: float) -> None:
        self.clock.now += seconds
        for work, end in list(self.ends.items()):
            if end <= self.clock.now:
                self.client.delete(work)
                del self.ends[work]

    @precondition(lambda self: any(not house.frozen for house in self.houses))
    @rule(work=WORK)
    def somebody_leads_after_a_lease_and_a_sign(self, work: str) -> None:
        awake = [house for house in self.houses if not house.frozen]
        for house in awake:
            with self._asking():
                house.leases[work].hold(self.client)
        if not any(house.leases[work].mine for house in awake):  # one that is frozen or dead holds it
            self.pass_time(LASTS)
            with self._asking():
                awake[0].keeper.turn()
        assert any(house.leases[work].mine for house in awake)

    @invariant()
    def nobody_leads_what_another_leads(self) -> None:
        for work in WORKS:
            mine = [house for house in self.houses if house.leases[work].mine]
            assert len(mine) <= 1
            if mine:
                assert self.client.exists(work)


def test_no_two_lead_one_work_and_somebody_does(redis_url: str) -> None:
    with connect(redis_url) as client, patch("scheduler.lease.KEPT_SECONDS", LASTS):
        Machine.client = client
        rules = settings(
            max_examples=EXAMPLES, deadline=None, database=None, derandomize="ENVOI_TEST_EXAMPLES" not in os.environ
        )
        run_state_machine_as_test(Machine, settings=rules)
