"""The figures of runs as rows of a table, and what of them breaks a promise."""

from __future__ import annotations

from tests.faults.run import Figures

_COLUMNS = (
    "fault",
    "jobs",
    "lost",
    "twice",
    "out of order",
    "wrong outcome",
    "left unknown",
    "bubbles left",
    "slowest job",
    "took",
)
_SHOWN = 5  # sentences of a kind


def head() -> str:
    """The first two lines."""
    return f"| {' | '.join(_COLUMNS)} |\n|---{'|---:' * (len(_COLUMNS) - 1)}|"


def row(figures: Figures) -> str:
    """One line."""
    found = figures.found
    wrong = len(found.false) + len(found.open) + len(found.unsent)
    cells = [
        figures.name,
        f"{found.jobs:,}",
        len(found.lost),
        len(found.twice),
        len(found.out_of_order) + len(found.interleaved),
        wrong,
        len(found.unknown),
        len(found.bubbles),
        "" if figures.recovery is None else f"{figures.recovery:.1f} s",
        f"{figures.seconds:.0f} s",
    ]
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def verdict(figures: Figures) -> list[str]:
    """A sentence for each kind of promise that was broken; none if all were kept."""
    found = [
        f"{figures.name}: {name.replace('_', ' ')}: {len(what)}: {'; '.join(what[:_SHOWN])}"
        for name, what in figures.found.broken().items()
    ]
    unknown = figures.found.unknown
    if len(unknown) > figures.allowed:
        found.append(f"{figures.name}: {len(unknown)} left unknown, {figures.allowed} allowed: {unknown[:_SHOWN]}")
    return found
