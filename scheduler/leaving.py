"""Leaving a process while some of its threads stand still, in a call to a server that does not answer.

The interpreter would take itself apart under them: rarely, but seen, that ends in a segmentation fault, and whoever
supervises the process takes a stop in order for a crash. Nothing is lost by leaving at once: what was under way is
rolled back by its server, and done again by the next scheduler.
"""

from __future__ import annotations

import os
import sys
import threading

_stuck = threading.Event()


def note(*, in_order: bool) -> None:
    """How the stop went: in order, or threads stand still."""
    if not in_order:
        _stuck.set()


def leave(status: int = 0) -> None:
    """End the process at once if threads stand still; else do nothing."""
    if _stuck.is_set():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
