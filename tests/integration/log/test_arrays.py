"""Arrays made by hand come to PostgreSQL as what they were made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.log_arrays import Array, BigIntegerArray, FloatArray, IntegerArray, TextArray, TimeArray, know_arrays

START = datetime(1970, 1, 1, tzinfo=UTC)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))
KINDS: dict[type[Array], st.SearchStrategy[Any]] = {
    TextArray: TEXTS | st.sampled_from(["Accepted", ""]),
    IntegerArray: st.integers(-(2**31), 2**31 - 1),
    BigIntegerArray: st.integers(-(2**63), 2**63 - 1),
    FloatArray: st.floats(allow_nan=False, allow_infinity=False),
    TimeArray: st.integers(-(10**16), 10**17),
}


@pytest.fixture
def database(postgres_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("SET timezone = 'UTC'")
        know_arrays(connection.adapters)
        yield connection


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_element_arrives(database: psycopg.Connection, kind: type[Array], data: st.DataObject) -> None:
    values = data.draw(st.lists(st.none() | KINDS[kind], min_size=1, max_size=20))
    row = database.execute("SELECT array_agg(x) FROM unnest(%s) AS x", (kind(values),)).fetchone()
    assert row
    if kind is TimeArray:
        values = [None if value is None else START + timedelta(microseconds=value) for value in values]
    assert row[0] == values


@pytest.mark.parametrize(
    "make",
    [
        lambda: TextArray(["a", 5]),
        lambda: TextArray(["\ud83d"]),
        lambda: TextArray([["a"]]),
        lambda: IntegerArray([2**31]),
        lambda: IntegerArray([1, None, 2**31]),
        lambda: IntegerArray(["1"]),
        lambda: BigIntegerArray([10**30]),
        lambda: BigIntegerArray([1.5]),
        lambda: FloatArray([float("nan")]),
        lambda: FloatArray([None, float("inf")]),
        lambda: FloatArray(["1.5"]),
        lambda: TimeArray(["now"]),
    ],
)
def test_what_has_no_place_in_a_column_is_refused_before_it_is_sent(make: Callable[[], Array]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # some in the words of Python
        make()


def test_a_text_that_no_database_takes_is_an_error_of_its_data(database: psycopg.Connection) -> None:
    with pytest.raises(psycopg.DataError):
        database.execute("SELECT * FROM unnest(%s) AS x", (TextArray(["a\x00b"]),))
