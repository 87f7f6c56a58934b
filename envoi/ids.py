"""Job ids: 26 characters that sort by the time they were made (ULID layout: 48 bits of milliseconds, 80 random)."""

from __future__ import annotations

import os
import re
import threading
import time
from datetime import datetime

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)  # two characters for each 10 bits
_SHIFTS = tuple(range(120, -1, -10))
JOB_ID = re.compile(rf"[{_ALPHABET}]{{26}}")


class _Ids:
    """Numbers that grow within this process, also within one millisecond and when the clock is set back.

    So the jobs of one call sort in the order in which they were enqueued.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> int:
        fresh = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
        with self._lock:
            if fresh <= self._last:
                # A step of 64 random bits, not of 1: a forked process goes on from the same number.
                fresh = self._last + 1 + (fresh & 0xFFFF_FFFF_FFFF_FFFF)
            self._last = fresh
        return fresh

    def forked(self) -> None:
        """In a forked child: the lock may be held by a thread that is not there any more."""
        self._lock = threading.Lock()


_ids = _Ids()
os.register_at_fork(after_in_child=_ids.forked)


def id_after(job_id: str, steps: int) -> str:
    """The id that stands so many steps after another one.

    Fresh ids lie 64 random bits apart at the least, so a run of these meets no other.
    """
    number = 0
    for character in job_id:
        number = number << 5 | _ALPHABET.index(character)
    return _spelled(number + steps)


def new_job_id() -> str:
    """A fresh job id. The client makes it, so repeating a script whose answer was lost enqueues nothing twice."""
    return _spelled(_ids.next())


def _spelled(number: int) -> str:
    return "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


def made_at(job_id: str) -> float:
    """When a job's id was made, by the clock of the host that made it: seconds since the epoch.

    Raises:
        ValueError: it is no job id.
    """
    if not JOB_ID.fullmatch(job_id):
        raise ValueError("not a job id")
    number = 0
    for character in job_id[:10]:
        number = number << 5 | _ALPHABET.index(character)
    return number / 1e3


def wanted_from(job_id: str, at: str | None) -> float:
    """From when on a job was to be sent: when its id was made, or its time if it has a later one.

    Args:
        job_id: the job.
        at: its time as its payload has it, ISO 8601.

    Returns:
        Seconds since the epoch.

    Raises:
        ValueError: it is no job id, or no time.
    """
    made = made_at(job_id)
    return max(made, datetime.fromisoformat(at).timestamp()) if at else made
