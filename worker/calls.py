"""The calls of one attempt: what came of each, and what their answers ask of the page."""

from __future__ import annotations

from envoi.events import CallRecord
from worker.graph import Outcome
from worker.restraint import Restraint, stronger


class Calls:
    """Of one attempt.

    Attributes:
        records: every call, in order.
    """

    def __init__(self) -> None:
        self.records: list[CallRecord] = []
        self._restraints: dict[str, Restraint] = {}  # by scope

    def came_to(self, outcome: Outcome) -> None:
        """Note a call; nothing where none was made."""
        if outcome.record:
            self.records.append(outcome.record)
        for restraint in outcome.restraints:
            self._restraints[restraint.scope] = stronger(self._restraints.get(restraint.scope), restraint)

    def restraints(self) -> list[Restraint]:
        """What the usage headers of all calls ask for, of the page and of its app."""
        return list(self._restraints.values())
