from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console

from envoi.cli.progress import Bar, Lines, Progress, Rate


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_rate_is_that_of_the_last_half_minute(clock: Clock) -> None:
    rate = Rate(clock)
    for second in range(61):
        clock.now = float(second)
        rate.note(100 * min(second, 30) + 10 * max(0, second - 30))
    assert rate.per_second == pytest.approx(10)
    assert rate.left(600) == "about 0:01:00 left"


def test_without_a_rate_there_is_no_estimate(clock: Clock) -> None:
    rate = Rate(clock)
    assert rate.left(1) == "no estimate yet"
    rate.note(0)
    assert rate.left(1) == "no estimate yet"
    assert rate.left(0) == "done"


def test_work_that_stood_still_has_the_rate_of_what_came_after(clock: Clock) -> None:
    rate = Rate(clock)
    rate.note(0)
    clock.now = 10.0
    rate.note(1000)
    rate.forget()
    clock.now = 100.0
    rate.note(1000)
    clock.now = 110.0
    rate.note(1050)
    assert rate.per_second == pytest.approx(5)


def test_where_nobody_watches_there_is_a_line_now_and_then_and_one_at_the_end(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with Progress(100, Lines(clock), Rate(clock)) as progress:
        for done in range(0, 100, 10):
            progress.show(done)
            clock.now += 4.0
        progress.show(100, said="all of it", last=True)
    assert capsys.readouterr().err.splitlines() == [
        "envoi: 30 of 100; 2.5/s, about 0:00:28 left",
        "envoi: 60 of 100; 2.5/s, about 0:00:16 left",
        "envoi: 90 of 100; 2.5/s, about 0:00:04 left",
        "envoi: 100 of 100; all of it, 2.5/s, done",
    ]


def test_short_work_says_nothing(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(10, Lines(clock), Rate(clock)) as progress:
        for done in range(10):
            progress.show(done)
    assert capsys.readouterr().err == ""


def test_of_an_unknown_total_there_is_a_rate_and_no_estimate(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(view=Lines(clock), rate=Rate(clock))
    progress.show(0)
    clock.now = 10.0
    progress.show(1_000)
    assert capsys.readouterr().err == "envoi: 1,000; 100.0/s\n"


def test_a_terminal_has_a_bar_with_a_rate_and_an_estimate(clock: Clock) -> None:
    out = io.StringIO()
    with Progress(5, Bar(Console(file=out, force_terminal=True, width=120)), Rate(clock)) as progress:
        progress.show(0)
        clock.now = 1.0
        progress.show(2, said="2 sent")
    assert "2/5 2 sent, 2.0/s, about 0:00:02 left" in out.getvalue()


def test_work_that_shows_nothing_draws_no_bar() -> None:
    out = io.StringIO()
    Progress(view=Bar(Console(file=out, force_terminal=True))).close()
    assert out.getvalue() == ""


def test_a_bar_catches_nothing_that_goes_to_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    out = io.StringIO()
    with Progress(2, Bar(Console(file=out, force_terminal=True))) as progress:
        progress.show(1)
        print("a result", file=sys.stdout)
    assert capsys.readouterr().out == "a result\n"
    assert "a result" not in out.getvalue()
