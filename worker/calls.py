"""The calls of one attempt: what came of each, what the queue knows of them, and what their answers ask of the page."""

from __future__ import annotations

from envoi.events import CallRecord
from worker.graph import Outcome
from worker.restraint import Restraint, stronger


class Calls:
    """Of one attempt.

    Attributes:
        records: every call, in order.
        told: how many of the records the queue has been told.
    """

    def __init__(self) -> None:
        self.records: list[CallRecord] = []
        self.told = 0
        self._restraints: dict[str, Restraint] = {}  # by scope

    def came_to(self, outcome: Outcome) -> None:
        """Note a call; nothing where none was made."""
        if outcome.record:
            self.records.append(outcome.record)
        for restraint in outcome.restraints:
            self._restraints[restraint.scope] = stronger(self._restraints.get(restraint.scope), restraint)

    def untold(self) -> list[CallRecord]:
        """Those that the queue has not been told; it is told with what they are asked for."""
        fresh, self.told = self.records[self.told :], len(self.records)
        return fresh

    def restraints(self) -> list[Restraint]:
        """What the usage headers of all calls ask for, of the page and of its app."""
        return list(self._restraints.values())
