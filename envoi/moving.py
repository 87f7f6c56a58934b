"""Moving a page from one cell to another (docs/cells.md): what goes with it, and what the old cell still has to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from envoi.errors import EnvoiError
from envoi.queue.connection import translated
from envoi.queue.queue import Queue

_STEP = 1000  # keys that one SCAN looks at
_PAIRS = 200  # keys read in one trip
_REMEMBERED = ("k", "in", "r", "mids", "u")  # as :class:`envoi.queue.keys.Keys` names them
_NO_END = -1  # what PTTL says of a key without a time to live


class NotReadyError(EnvoiError):
    """The page cannot be moved as things are; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Left:
    """What the old cell still has of a page.

    Attributes:
        conversations: that have jobs in line, under way, retrying, settling or held.
        scheduled: of them or others, that have jobs with a time (``at``).
    """

    conversations: int
    scheduled: int

    @property
    def nothing(self) -> bool:
        """Whether the page may be resumed in its new cell."""
        return not self.conversations and not self.scheduled


def carry(page: str, old: Queue, new: Queue, *, standing: bool = True) -> int:
    """Copy what the old cell remembers of a page: keys of jobs, windows, refusals, attachment ids, holds, opt-outs.

    What the new cell knows by itself it keeps. To be done before the first job of the page goes to the new cell, and
    again when nothing of it is left in the old one; in between at least once in ``ENVOI_KEY_TTL``.

    Args:
        page: the page's id.
        old: the queue that it leaves.
        new: the queue that it goes to.
        standing: holds and opt-outs too. Only the first time: an app may have ended some in the new cell since.

    Returns:
        How many things were copied.

    Raises:
        NotReadyError: the new cell does not know the page, or it is not paused there.
        QueueUnavailable: a Redis did not answer; may be repeated.
    """
    _see_paused(page, new)
    with translated():
        copied = sum(_copy(names, old, new) for names in _chunks(_remembered(page, old)))
    if not standing:
        return copied
    held = {hold.conversation for hold in new.holds(page)}
    for hold in old.holds(page):
        if hold.conversation not in held:
            copied += new.hold(hold.conversation, hold.until)
    for conversation, _ in old.opt_outs(page):
        copied += new.opt_out(conversation)
    return copied


def left(page: str, old: Queue) -> Left:
    """What the old cell still has to do for a page. Looks at every key of that Redis, a thousand at a time.

    Raises:
        QueueUnavailable: Redis did not answer.
    """
    with translated():
        found = set(_kinds(old, page, "l", "ats"))
    scheduled = sum(name.startswith(f"{old.keys.base}ats:") for name in found)
    return Left(len(found) - scheduled, scheduled)


def _see_paused(page: str, new: Queue) -> None:
    [known] = new.pages([page])
    if not known.token_version:
        raise NotReadyError(f"page {page}: the new cell does not know it; add it there first (`envoi pages add`)")
    if known.paused_since is None:
        raise NotReadyError(f"page {page}: it is not paused in the new cell (`envoi pages pause`)")


def _remembered(page: str, queue: Queue) -> Iterator[str]:
    """Names of keys: of jobs, windows, refusals, message ids, attachments, webhooks coming in, enforcement."""
    yield from _kinds(queue, page, *_REMEMBERED)
    yield from (queue.keys.fed(page), queue.keys.enforced(page))


def _kinds(queue: Queue, page: str, *kinds: str) -> Iterator[str]:
    """Names of the page's keys of these kinds, in one pass over all keys; some may come twice."""
    begins = tuple(f"{queue.keys.base}{kind}:{page}{mark}" for kind in kinds for mark in ":/")
    for name in queue.redis.scan_iter(match=f"{queue.keys.base}*:{page}[:/]*", count=_STEP):
        if name.startswith(begins):
            yield name


def _copy(names: Sequence[str], old: Queue, new: Queue) -> int:
    """Copy keys that the new Redis lacks, with the time they have left there."""
    copied = 0
    for name, value, milliseconds in _values(names, old):
        target = new.keys.base + name.removeprefix(old.keys.base)
        if isinstance(value, list):
            copied += _copy_list(target, value, milliseconds, new)
        elif new.redis.set(target, value, px=milliseconds, nx=True):
            copied += 1
        elif new.redis.get(target) == value:
            # A key that was copied while its job was open: only when that has ended is it known how long it lives.
            new.redis.pexpire(target, milliseconds)
    return copied


def _copy_list(target: str, value: list[str], milliseconds: int, new: Queue) -> int:
    if new.redis.exists(target):
        return 0
    with new.redis.pipeline(transaction=True) as pipe:
        pipe.rpush(target, *value)
        pipe.pexpire(target, milliseconds)
        pipe.execute()
    return 1


def _values(names: Sequence[str], queue: Queue) -> Iterator[tuple[str, str | list[str], int]]:
    """Name, value and milliseconds left of each that is there; an open job's key gets what a settled one's has."""
    lists = f"{queue.keys.base}mids:"
    with queue.redis.pipeline(transaction=False) as pipe:
        for name in names:
            pipe.pttl(name)
            if name.startswith(lists):
                pipe.lrange(name, 0, -1)
            else:
                pipe.get(name)
        answers: list[Any] = pipe.execute()
    for name, left_there, value in zip(names, answers[::2], answers[1::2], strict=True):
        milliseconds = round(queue.settings.key_ttl * 1000) if left_there == _NO_END else left_there
        if value and milliseconds > 0:
            yield name, value, milliseconds


def _chunks(names: Iterator[str]) -> Iterator[list[str]]:
    while chunk := list(islice(names, _PAIRS)):
        yield chunk
