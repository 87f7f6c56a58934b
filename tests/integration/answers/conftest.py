"""The queue of the tests beside, for the answers' own."""

from __future__ import annotations

from tests.integration.queue.conftest import queue, shut

__all__ = ["queue", "shut"]
