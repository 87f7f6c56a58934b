"""Labels of a bounded number of values, and histograms."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from envoi.metrics.families import OTHER
from envoi.metrics.labels import Labels
from envoi.metrics.tallies import Histogram


@given(st.lists(st.text(min_size=1, max_size=3).filter(lambda text: text != OTHER)), st.integers(0, 5))
def test_only_so_many_values_have_labels_of_their_own_and_each_keeps_its_label(values: list[str], most: int) -> None:
    labels = Labels(most)
    first = {value: labels.of(value) for value in values}
    assert all(label in {value, OTHER} for value, label in first.items())
    assert len({label for label in first.values() if label != OTHER}) == min(most, len(set(values)))
    assert {value: labels.of(value) for value in values} == first


@given(st.lists(st.floats(0, 100)))
def test_a_histogram_counts_every_value_at_or_below_each_bound(values: list[float]) -> None:
    histogram = Histogram([1.0, 10.0])
    for value in values:
        histogram.observe("x", value)
    if not values:
        assert histogram.rows() == {}
        return
    buckets, total = histogram.rows()["x"]
    assert buckets == [
        ("1.0", sum(value <= 1 for value in values)),
        ("10.0", sum(value <= 10 for value in values)),
        ("+Inf", len(values)),
    ]
    assert total == sum(values)
