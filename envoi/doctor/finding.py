"""What a check finds, and how checks that look at the same thing are kept together.

A topic is read once, in bounded time; its checks are plain functions of what was read. So a part that is down costs
its own checks and no other, and every check can be tried with made-up data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, TypeVar

Level = Literal["ok", "warn", "bad", "unknown"]
SECONDS = 12.0  # to read one topic: a frozen server may answer each time at the last moment
RUNBOOK = "docs/operations.md"
_SHOWN = 5  # of a list, in one sentence

Facts = TypeVar("Facts")


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Attributes:
        state: ``bad``: messages are or will be lost, stuck or refused; ``warn``: an operator should know; ``unknown``:
            it could not be seen.
        text: what is so, in a sentence.
        advice: what to do, and where the runbook has more; empty where all is well.
        name: of the check.
        behind: the check that has to be well before this one can see anything; empty where it has seen something.
    """

    state: Level
    text: str
    advice: str = ""
    name: str = ""
    behind: str = ""


def ok(text: str) -> Finding:
    """All is well."""
    return Finding("ok", text)


def warn(text: str, advice: str) -> Finding:
    """An operator should know."""
    return Finding("warn", text, advice)


def bad(text: str, advice: str) -> Finding:
    """Messages are or will be lost, stuck or refused."""
    return Finding("bad", text, advice)


def unknown(text: str, advice: str) -> Finding:
    """It could not be seen."""
    return Finding("unknown", text, advice)


def graded(figure: float, limits: tuple[float, float], text: str, advice: str) -> Finding:
    """Of a figure that should be small: ``warn`` from the first limit on, ``bad`` from the second."""
    worrying, wrong = limits
    if figure >= wrong:
        return bad(text, advice)
    return warn(text, advice) if figure >= worrying else ok(text)


def listed(items: Sequence[object], shown: int = _SHOWN) -> str:
    """A few items, and how many more there are."""
    text = ", ".join(str(item) for item in items[:shown])
    return f"{text} and {len(items) - shown} more" if len(items) > shown else text


def span(seconds: float) -> str:
    """A time in the largest unit that leaves a number above 1."""
    for unit, size in (("d", 86_400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


@dataclass(frozen=True, slots=True)
class Check(Generic[Facts]):
    """One check.

    Attributes:
        name: what its finding, its section of the runbook and its line in the output are called.
        judge: what is to be said of what was read.
    """

    name: str
    judge: Callable[[Facts], Finding]

    def of(self, facts: Facts) -> Finding:
        """Its finding."""
        return self.signed(self.judge(facts))

    def signed(self, found: Finding) -> Finding:
        """A finding with the check's name, and with where to read on unless all is well."""
        told = f"{found.advice}. More: {RUNBOOK}#{self.name}" if found.state != "ok" else ""
        return replace(found, name=self.name, advice=told)


@dataclass(frozen=True, slots=True)
class Topic(Generic[Facts]):
    """Checks of one thing.

    Attributes:
        name: what it is, for messages.
        read: reads it; must change nothing. Errors are its own: what cannot be read is a finding.
        reach: the check that says whether it could be read at all.
        checks: the others.
        unreachable: what to do if it could not.
        built_on: the check that says whether what this stands on is there: if not, nothing is bad here, but unseen.
        seconds: how long reading may take.
    """

    name: str
    read: Callable[[], Facts]
    reach: Check[Facts]
    checks: tuple[Check[Facts], ...]
    unreachable: str = ""
    built_on: str | None = None
    seconds: float = SECONDS

    def findings(self, facts: Facts) -> list[Finding]:
        """What is found in what was read."""
        return [check.of(facts) for check in (self.reach, *self.checks)]

    def unread(self, why: str) -> list[Finding]:
        """What is found where nothing could be read."""
        behind = self.built_on or self.reach.name
        blind = Finding("unknown", f"not seen: {self.name} could not be read", f"see {behind} first", behind=behind)
        first = replace(blind, text=why) if self.built_on else bad(why, self.unreachable)
        return [self.reach.signed(first), *(check.signed(blind) for check in self.checks)]


AnyTopic = Topic[Any]
