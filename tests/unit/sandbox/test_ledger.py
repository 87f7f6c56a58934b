from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from sandbox.ledger import Ending, Entry, Ledger
from sandbox.ledger_query import LedgerQuery, summary

QUERY: TypeAdapter[LedgerQuery] = TypeAdapter(LedgerQuery)


def filled() -> Ledger:
    """Five entries; 2, 1 and 5 took effect, in this order."""
    ledger = Ledger()
    entries = [ledger.arrive(1 + n % 2, "POST", 100.0 + n) for n in range(5)]
    for entry in entries:
        entry.page, entry.step = "1001", "message"
        entry.recipient, entry.conversation = {"id": "7001"}, "1001/id:7001"
    entries[4].page, entries[4].step, entries[4].recipient = "1002", "typing_on", {"user_ref": "u"}
    entries[2].error_code, entries[2].rule = 2, 1
    entries[3].error_code, entries[3].error_subcode = 190, 460
    for n in (1, 0, 4):
        ledger.commit(entries[n], 200.0 + n, f"m_{n + 1}")
    for entry in entries[:4]:
        ledger.end(entry, Ending.ANSWERED)
    return ledger


def numbers(entries: list[Entry]) -> list[int]:
    return [entry.number for entry in entries]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"order": "delivery"}, [2, 1, 5]),
        ({"page": "1002"}, [5]),
        ({"recipient": "u"}, [5]),
        ({"conversation": "1001/id:7001", "after": "2"}, [3, 4, 5]),
        ({"step": "typing_on"}, [5]),
        ({"delivered": "false"}, [3, 4]),
        ({"ending": "open"}, [5]),
        ({"rule": "1"}, [3]),
        ({"order": "delivery", "after": "1"}, [1, 5]),
    ],
)
def test_a_query_gives_the_entries_that_fit_in_its_order(query: dict[str, Any], expected: list[int]) -> None:
    found, following = QUERY.validate_python(query).read(filled())
    assert numbers(found) == expected
    assert following is None


@pytest.mark.parametrize("order", ["arrival", "delivery"])
def test_pages_of_any_size_give_every_entry_once(order: str) -> None:
    ledger = filled()
    whole, _ = QUERY.validate_python({"order": order, "page": "1001"}).read(ledger)
    for limit in range(1, 7):
        found: list[Entry] = []
        after: int | None = 0
        while after is not None:
            query = {"order": order, "page": "1001", "after": after, "limit": limit}
            some, after = QUERY.validate_python(query).read(ledger)
            assert len(some) <= limit
            found += some
        assert numbers(found) == numbers(whole)


@pytest.mark.parametrize(
    "query",
    [{"after": -1}, {"limit": 0}, {"limit": 100_001}, {"order": "size"}, {"ending": "well"}, {"wait": 601}, {"x": 1}],
)
def test_a_query_out_of_bounds_is_refused(query: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        QUERY.validate_python(query)


def test_the_summary_counts_everything_once() -> None:
    assert summary(filled()) == {
        "requests": 5,
        "delivered": 3,
        "delivered_by_step": {"message": 2, "typing_on": 1},
        "by_ending": {"answered": 4, "open": 1},
        "by_error": {"2": 1, "190/460": 1},
        "hit_by_rule": {"1": 1},
        "connections": 2,
    }


def test_an_entry_has_no_field_that_could_hold_a_token() -> None:
    names = {field.name for field in dataclasses.fields(Entry)}
    assert names & {"path", "query", "headers", "token", "body", "url"} == set()
    assert set(Entry(1, 1, "POST", 0.0).as_json()) == names


def test_a_reader_that_waits_is_woken_by_the_entry_it_waits_for() -> None:
    async def scenario() -> list[int]:
        ledger = filled()
        waiting = asyncio.create_task(LedgerQuery(ending=Ending.OPEN, at_least=2, wait=60).read_when_there(ledger))
        await asyncio.sleep(0)  # one turn of the loop: it looks, and waits
        assert ledger._waiting
        ledger.arrive(3, "POST", 300.0)
        ledger.tell()
        found, _ = await asyncio.wait_for(waiting, 10)
        return numbers(found)

    assert asyncio.run(scenario()) == [5, 6]


def test_a_reader_gets_what_is_there_once_its_time_is_up_or_the_ledger_closes() -> None:
    async def scenario() -> tuple[list[int], list[int]]:
        ledger = filled()
        late, _ = await LedgerQuery(rule=1, at_least=9, wait=0.01).read_when_there(ledger)
        waiting = asyncio.create_task(LedgerQuery(rule=1, at_least=9, wait=600).read_when_there(ledger))
        await asyncio.sleep(0)  # one turn of the loop: it looks, and waits
        assert ledger._waiting
        ledger.close()
        found, _ = await asyncio.wait_for(waiting, 10)
        return numbers(late), numbers(found)

    assert asyncio.run(scenario()) == ([3], [3])
