"""What a Redis has on its disk, brought back as after a crash that lost what came later."""

from __future__ import annotations

from typing import Any

import redis

from tests.integration.queue.hands import Bench


class Snapshot:
    """All keys but the clock's.

    Args:
        queue: whose keys.
        raw: a client that gives bytes.
    """

    def __init__(self, queue: Bench, raw: redis.Redis) -> None:
        self._raw, self._clock = raw, f"{queue.keys.base}test-clock".encode()
        self._rows: list[tuple[bytes, bytes, int]] = []

    def take(self) -> None:
        """What is there now is on disk."""
        names = self._names()
        with self._raw.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.dump(name)
                pipe.pttl(name)
            found: list[Any] = pipe.execute()
        self._rows = list(zip(names, found[::2], found[1::2], strict=True))

    def bring_back(self) -> None:
        """What came after :meth:`take` is lost."""
        with self._raw.pipeline(transaction=False) as pipe:
            for name in self._names():
                pipe.delete(name)
            for name, value, ttl in self._rows:
                pipe.restore(name, max(0, ttl), value)
            pipe.execute()

    def _names(self) -> list[bytes]:
        names: Any = self._raw.scan_iter()
        return [name for name in names if name != self._clock]
