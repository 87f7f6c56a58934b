"""Pages are split among cells: each page's jobs go to one of them, in order, and none is lost."""

from __future__ import annotations

from itertools import product

import pytest

from demo.ports import free_port
from envoi import InvalidJob, Job, QueueUnavailable
from envoi.cells import Cells
from tests.integration.cells.pair import Pair

PAGES = [str(100_000_000_000_001 + number) for number in range(12)]
PEOPLE = [str(7_000_000_000_000_001 + number) for number in range(5)]


def test_each_pages_jobs_are_in_its_cell_alone_and_in_order_and_all_of_them(pair: Pair) -> None:
    cells = pair.cells()
    jobs = [
        Job(page=page, recipient=person, message=f"{number}")
        for number, person, page in product(range(3), PEOPLE, PAGES)
    ]
    ids = cells.send_many(iter(jobs))
    assert {cells.cell_of(page) for page in PAGES} == {"a", "b"}
    for name in cells.names:
        pair.deliver(name)
    assert sorted(job for *_, job in pair.delivered) == sorted(ids)
    for page, person in product(PAGES, PEOPLE):
        conversation = f"{page}/id/{person}"
        sent = [
            job_id for job_id, job in zip(ids, jobs, strict=True) if (job.page, job.recipient.key) == (page, person)
        ]
        assert pair.jobs(conversation) == sent
        assert {name for name, where, _ in pair.delivered if where == conversation} == {cells.cell_of(page)}


def test_a_job_is_found_in_the_cell_of_its_page(pair: Pair) -> None:
    cells = pair.cells(placed={PAGES[0]: "a", PAGES[1]: "b"})
    first, second = (cells.send(page, PEOPLE[0], "hello") for page in PAGES[:2])
    assert pair.a.state(first) == pair.b.state(second) == "queued"
    assert cells.of(PAGES[1]).status(second).state == "queued"
    assert cells.of(PAGES[1]).cancel(second)


def test_an_error_tells_what_was_enqueued_before(pair: Pair) -> None:
    cells = pair.cells()
    good = [Job(page=PAGES[0], recipient=PEOPLE[0], message="hello")] * 1000
    with pytest.raises(InvalidJob, match=r"jobs\[1000\]: must be a Job") as caught:
        cells.send_many([*good, "no job"])  # type: ignore[list-item]
    assert len(caught.value.enqueued) == 1000


def test_a_cell_that_is_away_does_not_stop_the_other(pair: Pair) -> None:
    cells = Cells({"a": pair.url_a, "b": f"redis://127.0.0.1:{free_port()}/0"}, placed={PAGES[0]: "a", PAGES[1]: "b"})
    with pytest.raises(QueueUnavailable):
        cells.send(PAGES[1], PEOPLE[0], "hello")
    job_id = cells.send(PAGES[0], PEOPLE[0], "hello")
    assert pair.a.state(job_id) == "queued"
