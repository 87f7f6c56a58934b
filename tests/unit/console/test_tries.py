"""How often a password may be tried."""

from __future__ import annotations

from envoi.console.tries import FREE, Tries


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_some_wrong_tries_are_free_and_then_each_costs_twice_as_long_up_to_a_bound() -> None:
    clock = Clock()
    tries = Tries(clock)
    for _ in range(FREE):
        assert tries.wait("a") == 0
        tries.wrong("a")
    waits = []
    for _ in range(9):
        waits.append(tries.wait("a"))
        clock.now += waits[-1]
        assert tries.wait("a") == 0
        tries.wrong("a")
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_hosts_do_not_wait_for_each_other() -> None:
    tries = Tries(Clock())
    for _ in range(FREE + 1):
        tries.wrong("a")
    assert tries.wait("a") > 0
    assert tries.wait("b") == 0


def test_the_right_password_or_a_quarter_of_an_hour_forgets_wrong_ones() -> None:
    clock = Clock()
    tries = Tries(clock)
    for host in ("a", "b"):
        for _ in range(FREE + 1):
            tries.wrong(host)
    tries.right("a")
    assert tries.wait("a") == 0
    clock.now += 901
    tries.wrong("b")
    assert tries.wait("b") == 0


def test_what_is_remembered_is_bounded() -> None:
    tries = Tries(Clock())
    for number in range(10_050):
        tries.wrong(str(number))
    assert len(tries._wrong) == 10_000
