"""One scene for all faults: a run begins with everything alive and an empty ledger."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.scene import Scene


@pytest.fixture(scope="package")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A whole Envoi of real processes, in which unknowns are settled by looks."""
    with Scene(tmp_path_factory.mktemp("scene"), evidence="looks") as built:
        yield built
