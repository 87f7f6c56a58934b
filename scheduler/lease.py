"""A lease in Redis: work that only one scheduler does at a time, for as long as it gives signs of life.

Who works under one asks for it in each turn. By itself a lease lasts as long as two turns may lie apart. Where a
keeper (scheduler/keeper.py) gives the signs of life in between, it lasts ``KEPT_SECONDS`` only: so one that died is
followed at once by another. The keeper gives none for work that has not asked for so long that it must be stuck.
"""

from __future__ import annotations

import math
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import redis
from redis.client import Pipeline

from envoi.queue.connection import translated

KEPT_SECONDS = 1.2  # how long a lease lasts after each sign of life of a keeper
_SLICE = 0.1  # seconds; how late one that waits for a lease hears that it has it, or that it shall stop

# Both may run when Redis is full: what is done under a lease makes it emptier.
# KEYS the leases. ARGV: holder, milliseconds. Takes each where it is free, keeps it where it is the holder's own.
# Answers who holds each. Bound: O(leases).
_HOLD = """#!lua flags=allow-oom
local holders = {}
for i, key in ipairs(KEYS) do
  local holder = redis.call('GET', key)
  if not holder or holder == ARGV[1] then
    redis.call('SET', key, ARGV[1], 'PX', ARGV[2])
    holder = ARGV[1]
  end
  holders[i] = holder
end
return holders
"""
# KEYS[1] the lease. ARGV: holder. Gives it back if it is the holder's.
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
"""


class Lease:
    """The right to one kind of work. Its work asks from one thread; a keeper and whoever looks may come from others.

    Args:
        key: its name in Redis.
        seconds: how long its work may go without asking for it.
        clock: seconds, ever growing; also while the process is stopped.

    Attributes:
        key: its name in Redis.
        other: who else held it when last asked; None: nobody, as far as is known.
        ran: when its work last came to the end of a turn under it, by the clock; None: never yet.
        term: grows each time that it becomes ours.
    """

    def __init__(self, key: str, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.key = key
        self.other: str | None = None
        self.ran: float | None = None
        self.term = 0
        self._patience = seconds
        self._lasts = seconds
        self._kept = False
        self._clock = clock
        self._holder = secrets.token_hex(8)  # tells this holder from every other
        self._asked = -math.inf  # when its work last asked for it; it wants none: never
        self._until = -math.inf  # how long it is ours for certain, unless its key is lost with Redis's memory
        self._since = math.inf  # since when without a break

    def keep(self, holder: str) -> None:
        """A keeper gives its signs of life from now on, in the name of a holder that has no equal."""
        self._holder, self._lasts, self._kept = holder, KEPT_SECONDS, True

    @property
    def wanted(self) -> bool:
        """Whether its work has asked for it lately: else it does not run, or is stuck."""
        return self._clock() - self._asked < self._patience

    @property
    def given_up(self) -> bool:
        """Whether its work gave it back and has not asked again."""
        return self._asked == -math.inf

    @property
    def mine(self) -> bool:
        """Whether it is ours, by what Redis said last and by the time since: not asked of Redis."""
        return self._clock() < self._until

    @property
    def leads(self) -> bool:
        """Whether it is ours, and its work came to the end of a turn since then."""
        return self.mine and self.ran is not None and self.ran >= self._since

    @property
    def ran_ago(self) -> float | None:
        """Seconds since its work came to the end of a turn under it; None: never yet."""
        return None if self.ran is None else self._clock() - self.ran

    def hold(self, client: redis.Redis) -> bool:
        """Take it, or keep it, for its work. Returns whether it is ours; where a keeper knows, Redis is not asked.

        Raises:
            QueueUnavailable: Redis did not answer.
        """
        if self._kept and self.mine:
            self._asked = self._clock()
            return True
        with translated():
            return self.hear(self.ask(client))

    def ask(self, client: redis.Redis | Pipeline) -> Any:  # noqa: ANN401  # redis-py's own types end here
        """Ask for it, for its work. The answer, which a pipeline gives later, is for :meth:`hear`.

        Errors are redis-py's own.
        """
        self._asked = self._clock()
        return ask_for([self], client)

    def hear(self, answer: Sequence[str], asked_at: float | None = None) -> bool:
        """Take in what Redis answered. Returns whether the lease is ours.

        Args:
            answer: its holder, alone in a list.
            asked_at: when Redis was asked; by default when its work last asked.
        """
        [holder] = answer
        if holder != self._holder:
            self.other, self._until = holder, -math.inf
            return False
        if not self.mine:
            self._since = self._clock()
            self.term += 1
        asked_at = self._asked if asked_at is None else asked_at
        self._until = max(self._until, asked_at + self._lasts)
        return True

    def note_run(self) -> None:
        """Its work came to the end of a turn."""
        if self.mine:
            self.ran = self._clock()

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """Rest for so many seconds, less if told to stop; and while it is another's, only until it is ours."""
        if self.mine:
            stop.wait(seconds)
            return
        until = self._clock() + seconds
        while not self.mine and (left := until - self._clock()) > 0:
            if stop.wait(min(left, _SLICE)):
                return

    def release(self, client: redis.Redis) -> None:
        """Give it back, if it is ours, and want it no more until its work asks again.

        Raises:
            QueueUnavailable: Redis did not answer; it ends by itself.
        """
        self._asked = self._until = -math.inf
        with translated():
            client.eval(_RELEASE, 1, self.key, self._holder)

    def _terms(self) -> tuple[str, int]:
        return self._holder, math.ceil(self._lasts * 1000)


def ask_for(leases: Sequence[Lease], client: redis.Redis | Pipeline) -> Any:  # noqa: ANN401  # redis-py's own types end here
    """Take or keep leases of one holder that last equally long, in one script.

    Returns:
        Who holds each; a pipeline gives it later.
    """
    [terms] = {lease._terms() for lease in leases}  # noqa: SLF001  # the same module
    return client.eval(_HOLD, len(leases), *(lease.key for lease in leases), *terms)
