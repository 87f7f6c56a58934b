"""The checker, checked: a fault put into a clean ledger or log is always found, and a clean one passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envoi.states import State
from tests.acceptance.ledger import Delivered, Sent
from tests.faults.checker import Findings, Logged, check

UNSENT = [State.FAILED, State.EXPIRED, State.CANCELLED]


@dataclass
class Run:
    """What was enqueued, what was delivered, what was logged."""

    sent: list[Sent]
    delivered: list[Delivered]
    log: dict[str, Logged]

    def findings(self) -> Findings:
        return check(self.sent, self.delivered, self.log)

    def places(self, job_id: str) -> list[int]:
        """Where the message of a job is, with its bubble around it."""
        (place,) = [n for n, entry in enumerate(self.delivered) if entry.job_id == job_id]
        who = self.delivered[place].recipient
        before = max(n for n in range(place) if self.delivered[n].recipient == who)
        after = min(n for n in range(place + 1, len(self.delivered)) if self.delivered[n].recipient == who)
        return [before, place, after]


@st.composite
def clean_runs(draw: st.DrawFn) -> Run:
    """Some people's lines, served one job after the other, woven into each other at random."""
    lines = {f"p{n}": [f"J{n}-{m}" for m in range(draw(st.integers(1, 4)))] for n in range(draw(st.integers(1, 5)))}
    order = draw(st.permutations([who for who, jobs in lines.items() for _ in jobs]))
    left = {who: iter(jobs) for who, jobs in lines.items()}
    sent = [Sent(next(left[who]), who) for who in order]
    steps = {
        who: [
            Delivered(who, step, job if step == "message" else None, f"m_{job}" if step == "message" else None)
            for job in jobs
            for step in ("typing_on", "message", "typing_off")
        ]
        for who, jobs in lines.items()
    }
    woven = draw(st.permutations([who for who, line in steps.items() for _ in line]))
    rest = {who: iter(line) for who, line in steps.items()}
    log = {job.job_id: Logged(State.SENT, f"m_{job.job_id}") for job in sent}
    return Run(sent, [next(rest[who]) for who in woven], log)


def lose(run: Run, job: str) -> None:
    for place in reversed(run.places(job)):
        del run.delivered[place]


def double(run: Run, job: str) -> None:
    who = run.delivered[run.places(job)[1]].recipient
    again = [
        Delivered(who, "typing_on"),
        Delivered(who, "message", job, f"m_{job}-again"),
        Delivered(who, "typing_off"),
    ]
    run.delivered += again


def overtake(run: Run, job: str) -> None:
    """The last of its line and the first change places, if there are two."""
    (who,) = [sent.recipient for sent in run.sent if sent.job_id == job]
    line = [sent.job_id for sent in run.sent if sent.recipient == who]
    first, last = run.places(line[0])[1], run.places(line[-1])[1]
    run.delivered[first], run.delivered[last] = run.delivered[last], run.delivered[first]


def hide_the_bubble(run: Run, job: str) -> None:
    del run.delivered[run.places(job)[0]]


def leave_the_bubble(run: Run, job: str) -> None:
    (who,) = [sent.recipient for sent in run.sent if sent.job_id == job]
    last = max(n for n, entry in enumerate(run.delivered) if entry.recipient == who)
    del run.delivered[last]


def send_a_strangers(run: Run, job: str) -> None:
    who = run.delivered[run.places(job)[1]].recipient
    run.delivered += [Delivered(who, "typing_on"), Delivered(who, "message", "X", "m_X"), Delivered(who, "typing_off")]


def settle_with_another_id(run: Run, job: str) -> None:
    run.log[job] = replace(run.log[job], message_id="m_other")


def forget_the_row(run: Run, job: str) -> None:
    del run.log[job]


def never_settle(run: Run, job: str) -> None:
    run.log[job] = Logged(State.SETTLING)


def not_know(run: Run, job: str) -> None:
    run.log[job] = Logged(State.UNKNOWN)


FAULTS: list[tuple[Callable[[Run, str], None], set[str]]] = [
    (lose, {"lost"}),
    (double, {"twice"}),
    (send_a_strangers, {"out_of_order"}),
    (hide_the_bubble, {"interleaved"}),
    (leave_the_bubble, {"bubbles"}),
    (settle_with_another_id, {"false"}),
    (forget_the_row, {"open"}),
    (never_settle, {"open"}),
    (not_know, {"unknown"}),
]


def classes(found: Findings) -> set[str]:
    return found.broken().keys() | {name for name in ("unknown", "bubbles") if getattr(found, name)}


@given(clean_runs())
def test_a_clean_run_passes(run: Run) -> None:
    assert run.findings() == Findings(jobs=len(run.sent))


@pytest.mark.parametrize(("fault", "expected"), FAULTS, ids=[fault.__name__ for fault, _ in FAULTS])
@given(run=clean_runs(), data=st.data())
@settings(max_examples=50)
def test_a_fault_is_found_for_what_it_is(
    fault: Callable[[Run, str], None], expected: set[str], run: Run, data: st.DataObject
) -> None:
    job = data.draw(st.sampled_from(run.sent)).job_id
    fault(run, job)
    # A double of an early job comes after later ones as well; a bubble taken away may be the next message's own.
    assert expected <= classes(run.findings()) <= expected | ({"out_of_order"} if fault is double else set())


@given(run=clean_runs(), data=st.data())
def test_a_swap_is_found(run: Run, data: st.DataObject) -> None:
    job = data.draw(st.sampled_from(run.sent))
    alone = [sent.recipient for sent in run.sent].count(job.recipient) == 1
    overtake(run, job.job_id)
    assert classes(run.findings()) == (set() if alone else {"out_of_order"})


@given(run=clean_runs(), data=st.data(), state=st.sampled_from(UNSENT))
def test_an_outcome_that_denies_a_delivery_is_false(run: Run, data: st.DataObject, state: State) -> None:
    run.log[data.draw(st.sampled_from(run.sent)).job_id] = Logged(state)
    assert classes(run.findings()) == {"false"}


@given(run=clean_runs(), data=st.data(), state=st.sampled_from(UNSENT))
def test_an_outcome_that_admits_a_loss_is_told_apart_from_a_loss(run: Run, data: st.DataObject, state: State) -> None:
    job = data.draw(st.sampled_from(run.sent)).job_id
    lose(run, job)
    run.log[job] = Logged(state)
    assert classes(run.findings()) == {"unsent"}


@given(run=clean_runs(), data=st.data())
def test_an_unknown_job_that_was_delivered_twice_is_found_all_the_same(run: Run, data: st.DataObject) -> None:
    job = data.draw(st.sampled_from(run.sent)).job_id
    double(run, job)
    not_know(run, job)
    assert {"twice", "unknown"} <= classes(run.findings())


def test_findings_of_two_runs_add_up() -> None:
    total = Findings(jobs=3, lost=["a"])
    total.add(Findings(jobs=4, lost=["b"], bubbles=["p"]))
    assert total == Findings(jobs=7, lost=["a", "b"], bubbles=["p"])
