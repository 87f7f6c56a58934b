"""The work that every peer is given: bursts of messages to people, as a bot answers."""

from __future__ import annotations

from dataclasses import dataclass

PEOPLE, WARMUP_PEOPLE = 7_000_000_000_000_001, 8_000_000_000_000_001  # the first ids: of what is measured, and before
# Some 100 characters, as the messages of shops are.
_TEXT = "Your parcel has left our house in Lyon and takes two days. Reply to this message if it does not."


@dataclass(frozen=True, slots=True)
class Message:
    """One job of the benchmark.

    Attributes:
        page: the sending page's id.
        recipient: the person's id at that page.
        text: no two are alike, so the ledger tells which job a message belongs to.
    """

    page: str
    recipient: str
    text: str


def page_ids(pages: int) -> list[str]:
    """The ids of so many pages."""
    return [str(100_000_000_000_001 + number) for number in range(pages)]


def plan(first: int, jobs: int, people: int, pages: int) -> list[Message]:
    """The messages in the order of enqueueing: all those to one person in a row, then the next person's.

    Args:
        first: the first person's id; two plans of one run have no person in common.
        jobs: how many messages.
        people: how many people get them; each belongs to one page.
        pages: how many pages send them.
    """
    senders = page_ids(pages)
    people = min(people, jobs)
    return [
        Message(senders[person % pages], str(first + person), f"{first + person}/{number} {_TEXT}")
        for number in range(jobs)
        for person in [number * people // jobs]
    ]
