"""Families with their samples, as prometheus_client writes them down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from envoi.metrics.families import Family
from envoi.metrics.tallies import Histogram

Samples = Mapping[Any, float]  # by tuples of label values, of any length


def exposed(family: Family, samples: Samples | float | None) -> Metric:
    """A counter or gauge with its samples by label values; a number where it has no labels; None: nothing is known."""
    kind: Any = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    made: Metric = kind(family.name, family.meaning, labels=family.labels)
    if samples is None:
        return made
    rows = samples.items() if isinstance(samples, Mapping) else [((), samples)]
    for labels, value in rows:
        made.add_metric(list(labels), value)  # type: ignore[attr-defined]  # of the two kinds above
    return made


def exposed_histogram(family: Family, histogram: Histogram) -> Metric:
    """A histogram of one label."""
    made = HistogramMetricFamily(family.name, family.meaning, labels=family.labels)
    for key, (buckets, total) in histogram.rows().items():
        made.add_metric([key], buckets, total)
    return made


class Collected(Collector):
    """Collects what functions yield, each when it is asked: nothing is kept between two scrapes."""

    def __init__(self, parts: Iterable[Callable[[], Iterable[Metric]]]) -> None:
        self._parts = tuple(parts)

    def collect(self) -> Iterator[Metric]:
        """All metrics as they are now."""
        for part in self._parts:
            yield from part()

    def describe(self) -> Iterator[Metric]:
        """Nothing: what there is depends on what has happened."""
        return iter(())


def registry_of(*parts: Callable[[], Iterable[Metric]]) -> CollectorRegistry:
    """A registry of our own, with what the kernel says of this process. Nothing of other libraries is in it."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(Collected(parts))
    return registry
