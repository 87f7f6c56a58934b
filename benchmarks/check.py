"""What was delivered against what was enqueued: lost, doubled, reordered, interleaved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.ledger import Entry
from benchmarks.work import Message


@dataclass(frozen=True, slots=True)
class Faults:
    """How many messages went wrong, and how.

    Attributes:
        lost: never delivered.
        doubled: deliveries of a message after its first.
        reordered: delivered after a message to the same person that was enqueued later.
        interleaved: a call for another job of the same person came in between their own ``typing_on``, message and
            ``typing_off``, or one of these is missing.
        foreign: delivered, but enqueued by nobody, or delivered to somebody else.
    """

    lost: int = 0
    doubled: int = 0
    reordered: int = 0
    interleaved: int = 0
    foreign: int = 0

    def any(self) -> bool:
        """Whether anything went wrong."""
        return self != Faults()

    def __add__(self, other: Faults) -> Faults:
        """The faults of two runs."""
        return Faults(
            self.lost + other.lost,
            self.doubled + other.doubled,
            self.reordered + other.reordered,
            self.interleaved + other.interleaved,
            self.foreign + other.foreign,
        )


def faults(enqueued: Sequence[Message], ledger: Iterable[Entry]) -> Faults:
    """Find what went wrong.

    Args:
        enqueued: all messages, in the order of enqueueing; their texts differ.
        ledger: all calls to the people of these messages, in the order of taking effect.
    """
    conversations: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in ledger:
        conversations[entry.page, entry.recipient].append(entry)
    places: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for place, message in enumerate(enqueued):
        places[message.page, message.recipient][message.text] = place
    total = Faults()
    for conversation in places.keys() | conversations.keys():
        total += _of_conversation(places.get(conversation, {}), conversations.get(conversation, []))
    return total


def first_deliveries(ledger: Iterable[Entry]) -> dict[str, float]:
    """When each message was first delivered: its text, and Unix seconds."""
    found: dict[str, float] = {}
    for entry in ledger:
        if entry.text is not None:
            found.setdefault(entry.text, entry.at)
    return found


def _of_conversation(places: dict[str, int], calls: Sequence[Entry]) -> Faults:
    """The faults towards one person, given each text's place among all that were enqueued."""
    seen: set[str] = set()
    doubled = reordered = foreign = 0
    latest = -1
    for call in calls:
        if call.text is None:
            continue
        if call.text not in places:
            foreign += 1
        elif call.text in seen:
            doubled += 1
        else:
            reordered += places[call.text] < latest
            latest = max(latest, places[call.text])
            seen.add(call.text)
    return Faults(len(places) - len(seen), doubled, reordered, _interleaved([call.step for call in calls]), foreign)


def _interleaved(steps: Sequence[str]) -> int:
    """How many messages do not stand alone between their typing.

    A ``typing_on`` does not say which job it belongs to. So the one before it must have been closed, and the call
    after ``typing_off`` must open the next: otherwise two jobs have been at it at once.
    """
    mixed = 0
    for place, step in enumerate(steps):
        if step != "message":
            continue
        before = [None, None, *steps[:place]][-2:]
        after = [*steps[place + 1 : place + 3], None, None][:2]
        clean = before[1] == "typing_on" and after[0] == "typing_off"
        mixed += not (clean and before[0] in {None, "typing_off"} and after[1] in {None, "typing_on"})
    return mixed
