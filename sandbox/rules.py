"""Rules: which calls meet which fault."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, TypeAdapter

from sandbox.call import APART, MESSAGE, STEPS, Call
from sandbox.faults import Fault

ANY_ACTION = "action"
MATCHABLE_STEPS = (*STEPS, ANY_ACTION, *APART)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Which calls a rule looks at; what is None does not matter.

    Attributes:
        page: the page's id.
        recipient: the value the recipient is given by, whatever its kind.
        step: ``message``, a sender action, ``action`` for any sender action, ``read`` for looks in
            conversations, or ``upload``: only a rule that names these looks at them.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    page: str | None = None
    recipient: str | None = None
    step: str | None = None

    def __post_init__(self) -> None:
        if self.step is not None and self.step not in MATCHABLE_STEPS:
            raise ValueError(f"step must be one of {', '.join(MATCHABLE_STEPS)}")

    def fits(self, page: str, call: Call) -> bool:
        """Whether this call of this page is one the rule looks at."""
        if self.page not in (None, page) or self.recipient not in (None, call.recipient_key):
            return False
        if self.step in APART or call.step in APART:
            return self.step == call.step
        if self.step == ANY_ACTION:
            return call.step is not None and call.step != MESSAGE
        return self.step in (None, call.step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A rule as it is ordered.

    Attributes:
        fault: what happens to a call that the rule hits.
        match: the calls it looks at.
        every: of those, only each n-th (the n-th, the 2n-th …).
        probability: of those, only this share, drawn from the sandbox's seed.
        times: at most this many hits; no bound where None.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    fault: Fault
    match: Match = field(default_factory=Match)
    every: Annotated[int, Field(ge=1)] = 1
    probability: Annotated[float, Field(ge=0, le=1)] = 1.0
    times: Annotated[int, Field(ge=1)] | None = None


@dataclass(slots=True)
class Rule:
    """An order in force.

    Attributes:
        number: counted from 1; named in the ledger by the calls it hit.
        seen: calls it has looked at.
        hits: calls it has hit.
    """

    number: int
    order: Order
    draw: random.Random
    seen: int = 0
    hits: int = 0

    def strikes(self, page: str, call: Call) -> bool:
        """Count a call and say whether the rule would hit it."""
        if not self.order.match.fits(page, call):
            return False
        self.seen += 1
        if self.seen % self.order.every:
            return False
        if self.order.probability < 1 and self.draw.random() >= self.order.probability:
            return False
        return self.order.times is None or self.hits < self.order.times


_ORDER: TypeAdapter[Order] = TypeAdapter(Order)


def rule_shown(rule: Rule) -> dict[str, object]:
    """A rule for a JSON answer."""
    order: dict[str, object] = _ORDER.dump_python(rule.order, mode="json")
    return {"number": rule.number, "seen": rule.seen, "hits": rule.hits, **order}


class Rules:
    """All rules in force. The first that strikes has the call; the others still count it.

    Given the seed and the order in which calls arrive, the same calls are hit: each rule draws from a source of its
    own, so that a further rule does not shift the draws of the others.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._rules: dict[int, Rule] = {}
        self._last_number = 0

    def all(self) -> list[Rule]:
        """Every rule in force, in the order they are tried."""
        return list(self._rules.values())

    def add(self, order: Order) -> Rule:
        """Put an order into force."""
        self._last_number += 1
        # Not for secrets: the seed is there to repeat a run.
        rule = Rule(self._last_number, order, random.Random(f"{self.seed}/{self._last_number}"))  # noqa: S311
        self._rules[rule.number] = rule
        return rule

    def remove(self, number: int) -> bool:
        """Take one rule out of force; False if there is none of this number."""
        return self._rules.pop(number, None) is not None

    def choose(self, page: str, call: Call, *, deliverable: bool) -> Rule | None:
        """The rule that has this call, if any.

        Args:
            page: id of the page.
            call: what was asked for.
            deliverable: the checks let it pass. One they refuse cannot meet a fault that delivers first, and is not
                counted by such a rule.
        """
        chosen = None
        for rule in self._rules.values():
            if rule.order.fault.delivered and not deliverable:
                continue
            if rule.strikes(page, call) and chosen is None:
                chosen = rule
        if chosen is not None:
            chosen.hits += 1
        return chosen
