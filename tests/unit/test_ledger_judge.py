"""The judge of the acceptance tests: given a ledger with a fault, it finds that fault and no other."""

from __future__ import annotations

from tests.acceptance.ledger import Delivered, Sent, doubles, interleavings, losses, swaps

SENT = [Sent("A1", "ada"), Sent("G1", "grace"), Sent("A2", "ada"), Sent("A3", "ada")]


def told(*jobs: tuple[str, str]) -> list[Delivered]:
    """A ledger in which each job shows its bubble, its message, and takes the bubble away."""
    return [
        Delivered(who, step, job if step == "message" else None, f"m_{job}" if step == "message" else None)
        for job, who in jobs
        for step in ("typing_on", "message", "typing_off")
    ]


GOOD = told(("A1", "ada"), ("G1", "grace"), ("A2", "ada"), ("A3", "ada"))


def faults(delivered: list[Delivered]) -> list[list[str]]:
    """What each of the four questions finds."""
    return [losses(SENT, delivered), doubles(delivered), swaps(SENT, delivered), interleavings(delivered)]


def test_a_good_ledger_has_no_fault() -> None:
    assert faults(GOOD) == [[], [], [], []]


def test_conversations_may_mingle_in_time() -> None:
    ada, grace = told(("A1", "ada")), told(("G1", "grace"))
    mingled = [entry for pair in zip(ada, grace, strict=True) for entry in pair]
    assert interleavings(mingled + told(("A2", "ada"), ("A3", "ada"))) == []


def test_a_lost_message_is_found() -> None:
    assert faults(told(("A1", "ada"), ("G1", "grace"), ("A3", "ada"))) == [["A2 was lost"], [], [], []]


def test_a_loss_that_its_outcome_admits_is_excused() -> None:
    assert losses(SENT, told(("A1", "ada"), ("G1", "grace"), ("A3", "ada")), excused=["A2"]) == []


def test_a_double_message_is_found() -> None:
    assert faults(GOOD + told(("G1", "grace")))[1] == ["G1 was delivered 2 times"]


def test_a_swap_is_found() -> None:
    swapped = told(("A1", "ada"), ("G1", "grace"), ("A3", "ada"), ("A2", "ada"))
    assert faults(swapped) == [[], [], ["A2 to ada came after a later one"], []]


def test_a_message_that_nobody_enqueued_is_found() -> None:
    assert faults(GOOD + told(("X1", "ada")))[2] == ["X1 was enqueued by nobody"]


def test_an_interleaving_is_found() -> None:
    first, second = told(("A1", "ada")), told(("A2", "ada"))
    woven = [first[0], second[0], first[1], second[1], first[2], second[2]]
    assert len(interleavings(woven)) == 2


def test_a_message_without_its_bubble_is_found() -> None:
    assert interleavings(GOOD[1:]) == ["A1 to ada stands between None and typing_off"]
    assert interleavings(GOOD[:-1]) == ["A3 to ada stands between typing_on and None"]
