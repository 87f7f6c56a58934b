"""Waiting for what other threads and processes do: ask again and again, and say what did not come.

What happens by the test's own hand needs none of this, and no machine is too slow for it: the times are generous, and
nothing asserts how short a wait was.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar, cast

T = TypeVar("T")

PATIENCE = 60.0  # seconds
_LEAST, _MOST = 0.005, 0.1  # seconds between two questions


class Stuck(AssertionError):  # noqa: N818  # reads as what happened
    """Something has not come about; the message says what was seen."""


def wait_until(
    look: Callable[[], T | None],
    what: str,
    seconds: float = PATIENCE,
    *,
    meanwhile: Callable[[], object] | None = None,
) -> T:
    """Ask until the answer is true.

    Args:
        look: the question; whatever is true ends the wait. One that costs something is asked less often.
        what: what is awaited, for the message.
        seconds: how long to wait. It is asked once more after that: a machine that stood still is no failure.
        meanwhile: done before each question, such as to look whether it can still come true: what it raises ends
            the wait.

    Returns:
        The true answer.

    Raises:
        Stuck: the time is up; says what was awaited, and the last answer.
    """
    return cast("T", _wait(look, bool, what, seconds, meanwhile))


def wait_until_equal(
    look: Callable[[], object],
    wanted: object,
    what: str = "the answer",
    seconds: float = PATIENCE,
    *,
    meanwhile: Callable[[], object] | None = None,
) -> None:
    """Ask until the answer is the wanted one.

    Raises:
        Stuck: the time is up; says what was wanted, and the last answer.
    """
    _wait(look, lambda found: found == wanted, f"{what} == {wanted!r}", seconds, meanwhile)


def _wait(
    look: Callable[[], T],
    meets: Callable[[T], object],
    what: str,
    seconds: float,
    meanwhile: Callable[[], object] | None,
) -> T:
    deadline = time.monotonic() + seconds
    while True:
        asked = time.monotonic()
        if meanwhile is not None:
            meanwhile()
        found = look()
        if meets(found):
            return found
        if asked >= deadline:
            raise Stuck(f"waited {seconds:g} s in vain: {what}; the last answer was {found!r}")
        time.sleep(min(max(time.monotonic() - asked, _LEAST), _MOST))
