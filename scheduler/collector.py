"""The collector of cycles, in a process that is a scheduler for as long as it lives."""

from __future__ import annotations

import gc

_EVERY = 100_000  # objects made and not freed yet: more than the log writer has in hand at once


def spare_the_collector() -> None:
    """What was loaded until now stays for good, so the collector of cycles need not look at it again and again.

    A batch of the log makes some ten thousand objects and no cycles: to look for them every 700 objects, as is the
    default, finds none, and took a third of the log writer's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_EVERY, 20, 50)
