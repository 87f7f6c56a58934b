"""Health: whether a process makes progress, and whether it can do its work now.

Both go by what it did last, never by asking somebody now: an answer costs nothing and waits for nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Health:
    """One look.

    Attributes:
        wrong: why not, a sentence each; empty: all is well.
    """

    wrong: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether all is well."""
        return not self.wrong


class Patient(Protocol):
    """A process that can be looked at, from any thread."""

    def healthy(self) -> Health:
        """Whether it makes progress. If not, only a new process helps."""

    def ready(self) -> Health:
        """Whether it can do its work now. If not, it may well become so by itself."""
