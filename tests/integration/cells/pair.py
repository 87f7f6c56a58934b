"""What the tests of cells have in hand: the queues of two cells, and what each of them delivered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from envoi.cells import Cells
from envoi.queue.begin import Go
from tests.integration.queue.hands import Bench


@dataclass
class Pair:
    """Two cells, ``a`` and ``b``.

    Attributes:
        delivered: cell, conversation and job of each message, in that order.
    """

    a: Bench
    b: Bench
    url_a: str
    url_b: str
    delivered: list[tuple[str, str, str]] = field(default_factory=list)

    def cells(self, **options: Any) -> Cells:
        return Cells({"a": self.url_a, "b": self.url_b}, **options)

    def bench(self, name: str) -> Bench:
        return self.a if name == "a" else self.b

    def deliver(self, name: str, most: int = 1_000_000) -> int:
        """Take so many jobs out of a cell as a worker would, or all that it gives; answer how many."""
        bench, before = self.bench(name), len(self.delivered)
        while len(self.delivered) - before < most and (held := bench.claim(1)):
            assert isinstance(bench.begin(held[0]), Go)
            assert bench.sent(held[0], f"m{len(self.delivered)}") == "ok"
            self.delivered.append((name, held[0].conversation, held[0].job_id))
            bench.sleep(0.01)  # for the page's pace
        return len(self.delivered) - before

    def jobs(self, conversation: str) -> list[str]:
        """Those delivered in a conversation, wherever, in order."""
        return [job for _, where, job in self.delivered if where == conversation]
