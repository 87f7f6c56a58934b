"""The inbox of the engine: what other threads bring, taken by the one that turns."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


class Inbox(Generic[T]):
    """News from any thread, in the order of coming."""

    def __init__(self) -> None:
        self._news: SimpleQueue[T] = SimpleQueue()

    def put(self, news: T) -> None:
        """Bring something."""
        self._news.put(news)

    def put_when_readable(self, number: int, news: T) -> bool:  # noqa: ARG002  # worker/lines.py can
        """Bring something once a file descriptor has something to read. Returns whether that can be had."""
        return False

    def forget(self, number: int) -> None:
        """What was to be brought for a file descriptor is not wanted any more."""

    def take(self, seconds: float) -> list[T]:
        """All that has come; if there is nothing, wait for the first so many seconds."""
        found: list[T] = []
        try:
            found.append(self._news.get(timeout=seconds) if seconds > 0 else self._news.get_nowait())
            while True:
                found.append(self._news.get_nowait())
        except Empty:
            return found
