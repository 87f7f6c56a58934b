"""The chart of the last 24 hours: bars of what was sent and what was not, as numbers for an SVG."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from envoi.log.counting import Hour
from envoi.states import State

WIDTH, HEIGHT = 720.0, 210.0
_GAP = 6.0
_LEAST = 3.0  # height of a bar of what is not nothing


class Bar(NamedTuple):
    """One hour. Lengths are those of the SVG, from its top left corner."""

    since: datetime
    sent: int
    rest: int
    x: float
    width: float
    sent_y: float
    sent_height: float
    rest_y: float
    rest_height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """All bars, and the number that the highest stands for."""

    bars: list[Bar]
    highest: int


def chart_of(hours: list[Hour]) -> Chart:
    """The bars of some hours."""
    counts = [_split(hour) for hour in hours]
    highest = max((sent + rest for sent, rest in counts), default=0)
    step = WIDTH / max(1, len(hours))
    bars = []
    for number, (hour, (sent, rest)) in enumerate(zip(hours, counts, strict=True)):
        rest_height, sent_height = _height(rest, highest), _height(sent, highest)
        rest_y = HEIGHT - sent_height - rest_height
        x, width = round(number * step + _GAP / 2, 1), round(step - _GAP, 1)
        bars.append(Bar(hour.since, sent, rest, x, width, HEIGHT - sent_height, sent_height, rest_y, rest_height))
    return Chart(bars, highest)


def _split(hour: Hour) -> tuple[int, int]:
    sent = sum(number for (state, _), number in hour.counts.items() if state is State.SENT)
    return sent, sum(hour.counts.values()) - sent


def _height(number: int, highest: int) -> float:
    """Rounded so that two bars on top of each other fit."""
    if not number:
        return 0.0
    return round(max(_LEAST, (HEIGHT - 2 * _LEAST) * number / highest), 1)
