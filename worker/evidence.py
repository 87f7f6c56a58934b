"""What a look into a conversation proves: a pure function (PROTOCOL 3.2; docs/decisions/0005).

Metadata does not show there (SEND_API 8), so our message can only be told by the page's other messages all being known.
It errs to "no proof": what is taken for absent and is there would be sent twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

SLACK = 60.0  # seconds that Graph's clocks and ours may differ, after the difference that an answer shows is taken off
_TEXT_ONLY = frozenset({"text", "quick_replies", "metadata"})  # a message of these shows as its text and nothing else


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as a look shows it.

    Attributes:
        created: whole seconds since the epoch, by Graph's clock.
        author: id of who wrote it; None: not shown.
        text: None: not shown.
        bare: nothing is attached to it.
    """

    id: str
    created: float
    author: str | None
    text: str | None
    bare: bool = True


@dataclass(frozen=True, slots=True)
class Thread:
    """What a look shows of a thread.

    Attributes:
        messages: the newest ones, the newest first.
        whole: there are no more.
        ahead: seconds that Graph's clock is ahead of the queue's, as far as the answer tells; 0: it does not.
    """

    messages: tuple[Shown, ...]
    whole: bool
    ahead: float = 0.0


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is asked: is this message in the thread?

    Attributes:
        person: the recipient's id.
        text: of the message; None: it has more than a text, so nothing that shows is surely it.
        begun: it was written no earlier than this, by the queue's clock, seconds since the epoch.
        known: ids of messages in the thread that are not it, and when we learned of each, by the queue's clock.
        absence_counts: whether not finding it proves anything by now.
        forgotten: it may have been sent and its outcome forgotten: one of those known may be it after all.
    """

    person: str
    text: str | None
    begun: float
    known: Mapping[str, float]
    absence_counts: bool
    forgotten: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """It was sent, with this message id."""

    message_id: str


@dataclass(frozen=True, slots=True)
class Absent:
    """It was not sent."""


@dataclass(frozen=True, slots=True)
class NoProof:
    """Nothing is proved. ``why`` in a few words, for the log."""

    why: str


Evidence = Found | Absent | NoProof


def weigh(doubt: Doubt, thread: Thread) -> Evidence:
    """The evidence of one look.

    The band in which the message must be begins at the newest message that was known before the call: Graph wrote that
    one first, whatever any clock says. Or a minute before the call, by Graph's clock, if that is later. The second in
    which it begins belongs to it as a whole, since Graph shows no fractions.
    """
    if not _comparable(doubt, thread):
        return NoProof("messages known before do not show")
    start = _start(doubt, thread)
    if not (thread.whole or any(message.created < start for message in thread.messages)):
        return NoProof("the look does not reach below the band")
    strange = [message for message in thread.messages if message.created >= start and _strange(doubt, message)]
    if not strange:
        return _absence(doubt, thread)
    if len(strange) > 1:
        return NoProof("several messages of the page that are not known")
    [candidate] = strange
    if doubt.text is None or candidate.author is None or not candidate.bare or candidate.text != doubt.text:
        return NoProof("a message of the page that is not known and does not match")
    return Found(candidate.id)


def doubt_of(
    job: dict[str, Any], begun: float, known: Mapping[str, float], *, absence_counts: bool, forgotten: bool = False
) -> Doubt:
    """The question about a job to a person known by ``id``, as enqueued."""
    message: dict[str, Any] = job["message"]
    text = message.get("text") if message.keys() <= _TEXT_ONLY else None
    return Doubt(job["recipient"]["id"], text, begun, known, absence_counts, forgotten)


def _start(doubt: Doubt, thread: Thread) -> float:
    earlier = (message.created for message in thread.messages if doubt.known.get(message.id, doubt.begun) < doubt.begun)
    return max([doubt.begun + thread.ahead - SLACK, *earlier])


def _strange(doubt: Doubt, message: Shown) -> bool:
    """A message that may be ours: not the person's, and not known. Who writes for a page has more than one id."""
    return message.id not in doubt.known and message.author != doubt.person


def _absence(doubt: Doubt, thread: Thread) -> Absent | NoProof:
    """What it proves that no message of the page shows in the band that is not known."""
    if not doubt.absence_counts:
        return NoProof("not there yet")
    if doubt.forgotten and any(_may_be_it(doubt, message) for message in thread.messages):
        return NoProof("a message that is known may be it")
    return Absent()


def _may_be_it(doubt: Doubt, message: Shown) -> bool:
    """Whether a known message may be the one in doubt: we learned of it after the job was enqueued, and it is alike."""
    learned = doubt.known.get(message.id)
    return learned is not None and learned >= doubt.begun and doubt.text in {None, message.text}


def _comparable(doubt: Doubt, thread: Thread) -> bool:
    """Whether the ids that a look shows are those that the Send API and webhooks give: not verified (SEND_API 8).

    If they were not, each known message would look like one that is not known. So one of those that must be there is.
    """
    must = set(_expected(doubt, thread))
    return not must or any(message.id in must for message in thread.messages)


def _expected(doubt: Doubt, thread: Thread) -> Iterator[str]:
    for message_id, learned in doubt.known.items():
        if learned < doubt.begun and (thread.whole or learned >= doubt.begun - SLACK):
            yield message_id
