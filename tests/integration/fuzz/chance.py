"""How many malformed inputs are tried, and which.

The long form, some 15 minutes::

    ENVOI_TEST_EXAMPLES=100000 python -m pytest -s tests/integration/fuzz

Without it some thousand, always the same. With it chance chooses them, unless ``ENVOI_TEST_SEED`` repeats a run.
"""

from __future__ import annotations

import os
import random
import secrets
from dataclasses import dataclass, field

LONG = "ENVOI_TEST_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("ENVOI_TEST_EXAMPLES", "2000"))
SEED = int(os.environ.get("ENVOI_TEST_SEED") or (secrets.randbelow(10**9) if LONG else 1))


PATIENCE = 3600 if LONG else 300  # seconds for one test


@dataclass
class Chance:
    """One run's source of examples.

    Attributes:
        number: of the present example.
        draw: what chooses it; each example has its own, so that one alone can be made again.
    """

    name: str
    number: int = 0
    draw: random.Random = field(default_factory=random.Random)

    def next(self) -> random.Random:
        """The source of the next example."""
        self.number += 1
        self.draw = random.Random(f"{SEED}/{self.name}/{self.number}")  # noqa: S311  # to repeat a run, not for secrets
        return self.draw

    def __str__(self) -> str:
        return f"example {self.number} of {self.name}, ENVOI_TEST_SEED={SEED}"
