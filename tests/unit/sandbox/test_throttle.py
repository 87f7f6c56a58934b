"""Counting calls in a moving span."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sandbox.throttle import Rate

SPAN = 10.0


@given(st.lists(st.integers(0, 5), max_size=60), st.integers(0, 30), st.integers(1, 5))
def test_the_span_holds_just_what_was_called_in_it(gaps: list[int], later: int, most: int) -> None:
    rate, now, times = Rate(SPAN), 0, []
    for gap in gaps:
        now += gap
        rate.add(now)
        times.append(now)
        assert rate.count(now) == sum(time > now - SPAN for time in times)
    now += later
    assert rate.count(now) == sum(time > now - SPAN for time in times)
    wait = rate.seconds_until_below(most, now)
    assert rate.count(now + wait) < most
    assert wait == 0 or sum(time > now + wait - 1 - SPAN for time in times) >= most
