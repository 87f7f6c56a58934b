"""How often a password may be tried."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

FREE = 5  # wrong tries in a row that cost nothing
_FIRST, _LONGEST = 5.0, 300.0  # seconds to wait after the next one; doubled for each that follows, up to
_FORGOTTEN = 900.0  # seconds without a wrong try after which they are forgotten
_HOSTS = 10_000  # remembered at most; the one that tried longest ago is forgotten first


class Tries:
    """Wrong tries by the host that made them.

    Args:
        clock: seconds, of any beginning.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()  # how many, and when the last was

    def wait(self, host: str) -> float:
        """Seconds until this host may try again; 0: now."""
        with self._lock:
            count, last = self._wrong.get(host, (0, 0.0))
        if count < FREE:
            return 0.0
        pause: float = min(_LONGEST, _FIRST * 2.0 ** min(count - FREE, 16))
        return max(0.0, last + pause - self._clock())

    def wrong(self, host: str) -> None:
        """This host has tried a wrong password."""
        now = self._clock()
        with self._lock:
            count, last = self._wrong.pop(host, (0, now))
            self._wrong[host] = (1 if now - last > _FORGOTTEN else count + 1, now)
            if len(self._wrong) > _HOSTS:
                self._wrong.popitem(last=False)

    def right(self, host: str) -> None:
        """This host knows the password."""
        with self._lock:
            self._wrong.pop(host, None)
