"""What a pass of typing to many showed, read from the ledger."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.typing import read


def entry(step: str, who: str, at: float, *, delivered: bool = True) -> dict[str, Any]:
    return {"step": step, "conversation": who, "arrived_at": at - 0.1, "committed_at": at, "delivered": delivered}


def test_typing_shows_from_the_first_typing_on_to_the_message() -> None:
    entries = [
        entry("typing_on", "a", 10.0),
        entry("typing_on", "b", 11.0),
        entry("message", "a", 13.0),
        entry("typing_off", "a", 13.1),
        entry("typing_on", "b", 14.0),
        entry("message", "b", 15.0),
        entry("typing_off", "b", 15.1),
    ]
    found = read(entries, 3.0, (2, 2), 1.0, 100.0)
    assert (found.people, found.typed_to, found.typing_ons) == (2, 2, 1.5)
    assert (found.shown_least, found.shown_p99) == (3.0, 4.0)
    assert found.seconds == pytest.approx(5.1), "from the first call's coming in to the last message"


def test_who_got_none_two_or_only_a_call_that_failed_is_not_counted() -> None:
    entries = [
        entry("typing_on", "a", 1.0),
        entry("message", "a", 2.0),
        entry("typing_on", "twice", 1.0),
        entry("message", "twice", 2.0),
        entry("message", "twice", 3.0),
        entry("typing_on", "lost", 1.0),
        entry("message", "lost", 2.0, delivered=False),
        entry("message", "untyped", 2.0),
    ]
    assert read(entries, 0.0, (1, 0), 1.0, 100.0).people == 1
