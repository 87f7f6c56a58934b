"""The table of codes, against a list written by hand from SEND_API 4 and DESIGN 4."""

from __future__ import annotations

from collections import Counter

import pytest

from worker.codes import TABLE, Class, row_of

LATER, ANSWERED, UNKNOWN = Class.TRY_LATER, Class.TRY_LATER_ANSWERED, Class.UNKNOWN
APP, OF_PAGE, OF_PERSON = Class.THROTTLE_APP, Class.THROTTLE_PAGE, Class.THROTTLE_RECIPIENT
MESSAGE, PERSON, PAGE = Class.REFUSED_MESSAGE, Class.REFUSED_RECIPIENT, Class.REFUSED_PAGE

SHEET: dict[int, list[tuple[int | None, Class]]] = {
    -1: [(None, ANSWERED)],
    1: [(None, ANSWERED), (99, ANSWERED), (1357046, UNKNOWN)],
    2: [(None, ANSWERED), (2018344, PAGE)],
    3: [(None, PAGE)],
    4: [(None, APP), (2018022, OF_PAGE), (2018354, MESSAGE)],
    9: [(2018352, OF_PERSON)],
    10: [
        (None, PAGE),
        (2018278, PERSON),
        (2534022, PERSON),
        (2018065, PERSON),
        (2018108, PERSON),
        (2018300, LATER),
        (2018336, PERSON),
        (1893015, PERSON),
        (1893063, PAGE),
        (1404170, PAGE),
        (2534077, PAGE),
    ],
    17: [(None, OF_PAGE)],
    32: [(None, OF_PAGE)],
    80001: [(None, OF_PAGE)],
    80002: [(None, OF_PAGE)],
    80006: [(None, OF_PAGE)],
    341: [(None, APP)],
    613: [(None, OF_PAGE), (1996, APP), (2534040, OF_PAGE), (2018338, OF_PERSON), (1893016, MESSAGE)],
    100: [
        (None, MESSAGE),
        (33, PERSON),
        (2018001, PERSON),
        (2018008, LATER),
        (2018014, MESSAGE),
        (2018015, MESSAGE),
        (2018032, MESSAGE),
        (2018034, MESSAGE),
        (2018040, MESSAGE),
        (2018041, MESSAGE),
        (2018053, MESSAGE),
        (2018047, MESSAGE),
        (2018048, MESSAGE),
        (2018074, MESSAGE),
        (2018109, MESSAGE),
        (2018164, PAGE),
        (2018294, LATER),
        (2018320, MESSAGE),
        (2018328, MESSAGE),
        (1893061, MESSAGE),
        (2534013, PAGE),
        (2534029, PAGE),
        (2534014, PERSON),
        (2534015, MESSAGE),
        (2534025, MESSAGE),
        (2534037, PERSON),
    ],
    105: [(None, MESSAGE)],
    194: [(None, MESSAGE)],
    102: [(None, PAGE)],
    190: [
        (None, PAGE),
        (458, PAGE),
        (459, PAGE),
        (460, PAGE),
        (463, PAGE),
        (464, PAGE),
        (467, PAGE),
        (490, PAGE),
        (492, PAGE),
        (493, PAGE),
        (2069032, PAGE),
    ],
    **{code: [(None, PAGE)] for code in range(201, 300)},
    200: [(None, PAGE), (1545041, PERSON), (2018021, PAGE), (2018027, PAGE), (2018028, PAGE), (2534041, PAGE)],
    368: [(None, PAGE)],
    551: [(None, PERSON), (1545041, PERSON)],
    803: [(None, MESSAGE)],
    1200: [(None, ANSWERED), (2018024, ANSWERED)],
    1545012: [(None, UNKNOWN)],
    2022: [(None, PAGE)],
    10303: [(None, MESSAGE)],
    10900: [(None, MESSAGE)],
    10903: [(None, MESSAGE)],
    10904: [(None, PAGE)],
    2018321: [(None, LATER)],
    9000001: [(None, MESSAGE)],
}
PAIRS = [(code, subcode, outcome) for code, rows in SHEET.items() for subcode, outcome in rows]


def test_every_code_of_the_sheet_has_exactly_one_row_and_no_other_code_has_any() -> None:
    assert Counter((row.code, row.subcode) for row in TABLE) == Counter((code, subcode) for code, subcode, _ in PAIRS)


def test_every_code_of_the_sheet_has_the_class_that_sheet_and_design_give_it() -> None:
    found = {(row.code, row.subcode): row.outcome for row in TABLE}
    assert found == {(code, subcode): outcome for code, subcode, outcome in PAIRS}


def test_every_row_says_what_it_means_and_where_that_is_from() -> None:
    assert all(row.meaning and row.source in {"SEND_API 4", "DESIGN 4"} and row.confidence in "VL" for row in TABLE)


@pytest.mark.parametrize(("code", "subcode", "outcome"), [(190, 1, PAGE), (613, 7, OF_PAGE), (1, 2, ANSWERED)])
def test_an_unlisted_subcode_has_the_class_of_its_code(code: int, subcode: int, outcome: Class) -> None:
    row = row_of(code, subcode)
    assert row is not None
    assert row.outcome is outcome


@pytest.mark.parametrize(("code", "subcode"), [(9, None), (9, 5), (7777, None), (300, None), (199, None)])
def test_a_code_that_the_sheet_does_not_know_has_no_row(code: int, subcode: int | None) -> None:
    assert row_of(code, subcode) is None


def test_a_media_fetch_is_tried_a_few_times_only_and_a_tag_warning_lasts_hours() -> None:
    limited = {(row.code, row.subcode): row.tries for row in TABLE if row.tries}
    assert limited == {(100, 2018008): 3, (100, 2018294): 3}
    assert {(row.code, row.subcode): row.wait for row in TABLE if row.wait} == {(613, 2018338): 3600.0}
