"""The short form: every fault alone and some at random, on real processes, with the sandbox's ledger as the witness.

``ENVOI_TEST_SEED`` repeats a run's chances; the seed is printed with every failure. The long form is `make faults`.
"""

from __future__ import annotations

import pytest

from tests.faults.faults import FAULTS, LATER_THAN_G, Fault
from tests.faults.run import Figures, run_alone, run_mixed
from tests.faults.scene import Scene, new_seed
from tests.faults.table import head, row, verdict

SEED = new_seed()  # read as the module is loaded: a test sees no ENVOI_ variable
JOBS = 200
SHORT = [fault for fault in FAULTS if fault.short]


def judged(figures: Figures) -> None:
    """Print the figures and hold them to what is promised."""
    print(f"ENVOI_TEST_SEED={SEED}", figures.drawn, head(), row(figures), sep="\n")
    assert verdict(figures) == []


@pytest.mark.parametrize("fault", SHORT, ids=lambda fault: fault.name)
def test_alone_it_loses_doubles_and_swaps_nothing(scene: Scene, fault: Fault) -> None:
    judged(run_alone(scene, fault, JOBS, SEED))


def test_mixed_at_random_they_lose_double_and_swap_nothing(scene: Scene) -> None:
    judged(run_mixed(scene, 2 * JOBS, SEED))


def test_an_assumption_that_is_broken_shows_as_a_double(scene: Scene) -> None:
    found = run_alone(scene, LATER_THAN_G, 40, SEED).found
    assert found.twice
    assert found.lost == []
