"""Which cell a page lives in."""

from __future__ import annotations

from collections import Counter

import pytest

from envoi import BadSettings
from envoi.cells import Cells

PAGES = [str(100_000_000_000_001 + number) for number in range(3000)]
PLACES = ["a", "a", "b", "c", "b", "a", "c", "b"]  # of the first pages; another place would split a page's order


def cells(*names: str, placed: dict[str, str] | None = None, leaving: dict[str, str] | None = None) -> Cells:
    return Cells(dict.fromkeys(names, "redis://127.0.0.1:1/0"), placed=placed, leaving=leaving)


def test_pages_are_split_evenly() -> None:
    found = cells("a", "b", "c")
    counts = Counter(found.cell_of(page) for page in PAGES)
    assert counts.keys() == {"a", "b", "c"}
    assert min(counts.values()) > 900


def test_where_a_page_lives_is_the_same_in_every_process_and_version() -> None:
    assert [cells("a", "b", "c").cell_of(page) for page in PAGES[:8]] == PLACES
    assert [cells("c", "b", "a").cell_of(page) for page in PAGES[:8]] == PLACES


def test_a_cell_that_is_added_takes_pages_and_moves_none_between_the_others() -> None:
    before, after = cells("a", "b", "c"), cells("a", "b", "c", "d")
    moved = [page for page in PAGES if before.cell_of(page) != after.cell_of(page)]
    assert {after.cell_of(page) for page in moved} == {"d"}
    assert 600 < len(moved) < 900


def test_a_page_that_is_placed_lives_there() -> None:
    found = cells("a", "b", placed=dict.fromkeys(PAGES[:20], "b"))
    assert {found.cell_of(page) for page in PAGES[:20]} == {"b"}


def test_a_page_that_is_leaving_a_cell_has_two_clients_and_its_new_one_first() -> None:
    found = cells("a", "b", placed={PAGES[0]: "b", PAGES[1]: "a"}, leaving={PAGES[0]: "a", PAGES[1]: "a"})
    old, new = found.of(PAGES[1]), found.of(PAGES[0])
    assert found.both(PAGES[0]) == [new, old]
    assert found.both(PAGES[1]) == [old]


@pytest.mark.parametrize(
    ("names", "options", "says"),
    [
        ((), {}, "addresses: must name one cell or more"),
        (("A",), {}, "addresses: 'A' must be 1 to 32 lower-case letters"),
        (("a",), {"placed": {"7": "b"}}, "placed.7: must be one of the cells"),
        (("a",), {"leaving": {"7": "b"}}, "leaving.7: must be one of the cells"),
    ],
)
def test_what_is_wrong_is_named(names: tuple[str, ...], options: dict[str, dict[str, str]], says: str) -> None:
    with pytest.raises(BadSettings, match=says):
        cells(*names, **options)
