"""The producer: a small shop that writes to its customers, as any web app would."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from envoi import Envoi, Job

_NAMES = ("Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Frances", "Dennis", "Radia", "Ken", "Hedy", "Linus")

# One conversation each; a person who is owed more messages than one holds goes on with the next.
_CONVERSATIONS = (
    (
        "Hi {name}, thanks for your order no. {order}!",
        "It is packed: one pair of hiking boots, size 41.",
        "The parcel has left our house in Lyon. It takes two days.",
        "Your parcel has arrived. Enjoy the boots, {name}!",
    ),
    (
        "Hello {name}! You asked about the blue tent.",
        "It is in stock again, for two people, 1.9 kg.",
        "Shall we put one aside for you until Friday?",
    ),
    (
        "Good morning {name}, your repair no. {order} is done.",
        "We have sewn the strap anew and washed the bag.",
        "There is nothing to pay, it was our fault.",
        "You can pick it up from ten to six.",
        "See you soon, {name}!",
    ),
)


@dataclass(frozen=True, slots=True)
class Enqueued:
    """A job that was handed to Envoi.

    Attributes:
        job: as enqueued.
        job_id: its id.
        name: of the person it goes to.
        at: Unix seconds at which ``send`` was called.
    """

    job: Job
    job_id: str
    name: str
    at: float

    @property
    def recipient(self) -> str:
        """The person's id at the page."""
        return self.job.recipient.key

    @property
    def text(self) -> str:
        """What they are told."""
        return self.job.message.text or ""


def person(number: int) -> tuple[str, str]:
    """The name and the page-scoped id of the n-th customer, from 0."""
    generation, place = divmod(number, len(_NAMES))
    name = _NAMES[place] + (f" {generation + 1}" if generation else "")
    return name, str(7_000_000_000_000_001 + number)


def messages(page: str, people: int, jobs: int | None = None) -> list[tuple[str, Job]]:
    """What the shop has to say, in the order it occurs to it: everyone's first message, then the second.

    Args:
        page: the shop's page.
        people: how many customers.
        jobs: how many messages in all; None: one whole conversation each.

    Returns:
        Pairs of a person's name and a job.
    """
    speaking = deque((number, _talk(number, whole=jobs is None)) for number in range(people))
    pairs: list[tuple[str, Job]] = []
    while speaking and len(pairs) != jobs:
        number, talk = speaking.popleft()
        text = next(talk, None)
        if text is None:
            continue
        name, psid = person(number)
        pairs.append((name, Job(page=page, recipient=psid, message=text)))
        speaking.append((number, talk))
    return pairs


def enqueue(envoi: Envoi, pairs: Sequence[tuple[str, Job]], singly: int) -> list[Enqueued]:
    """Hand the jobs over: the first ones one by one, as a web app answers, the rest in one go, as a newsletter does.

    Args:
        envoi: the client.
        pairs: of a person's name and a job, in order.
        singly: how many go one by one.
    """
    done = []
    for name, job in pairs[:singly]:
        at = time.time()
        job_id = envoi.send(job.page, job.recipient, job.message)
        done.append(Enqueued(job, job_id, name, at))
    rest = pairs[singly:]
    at = time.time()
    ids = envoi.send_many(job for _, job in rest)
    return done + [Enqueued(job, job_id, name, at) for (name, job), job_id in zip(rest, ids, strict=True)]


def _talk(number: int, *, whole: bool) -> Iterator[str]:
    """What the n-th customer is told: one whole conversation, or one after the other without end."""
    name, _ = person(number)
    for turn in count():
        order = 1000 + 37 * number + turn
        for text in _CONVERSATIONS[(number + turn) % len(_CONVERSATIONS)]:
            yield text.format(name=name, order=order)
        if whole:
            return
