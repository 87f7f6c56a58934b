from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from envoi import split_metadata
from envoi.ids import new_job_id
from envoi.metadata import CALLER_LIMIT, METADATA_LIMIT, join_metadata

JOB = "01JDBQ8Z5V0000000000000000"


@given(st.text(max_size=CALLER_LIMIT))
@example("|")
@example("envoi:")
@example(f"mine|envoi:{JOB}")
@example("x" * CALLER_LIMIT)
def test_what_was_joined_comes_apart_again(caller: str) -> None:
    job_id = new_job_id()
    joined = join_metadata(caller, job_id)
    assert len(joined) <= METADATA_LIMIT
    assert split_metadata(joined) == (caller or None, job_id)


def test_the_job_id_alone_is_metadata_enough() -> None:
    assert split_metadata(join_metadata(None, JOB)) == (None, JOB)


@given(st.text())
@example("")
@example("envoi:")
@example(f"mineenvoi:{JOB}")
@example(f"envoi:{JOB} ")
@example(f"envoi:{JOB.lower()}")
def test_foreign_metadata_stays_whole(text: str) -> None:
    assert split_metadata(text) == (text or None, None)


def test_no_metadata_is_nothing() -> None:
    assert split_metadata(None) == (None, None)
