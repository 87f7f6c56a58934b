from __future__ import annotations

from datetime import date

import pytest

from envoi.graph_versions import VERSIONS, warning_about
from envoi.settings import Settings


@pytest.mark.parametrize(
    ("name", "today", "said"),
    [
        ("v25.0", date(2026, 11, 24), None),
        ("v25.0", date(2028, 4, 29), None),
        ("v25.0", date(2028, 4, 30), "ends on 2028-07-29"),
        ("v25.0", date(2028, 7, 29), "has ended on 2028-07-29"),
        ("v20.0", date(2026, 11, 24), "has ended on 2026-09-24"),
        ("v2.11", date(2026, 11, 24), "has ended: "),
        ("v99.0", date(2026, 11, 24), "is not known"),
        ("v26.0", date(2026, 11, 24), None),
    ],
)
def test_a_version_is_warned_of_before_its_end(name: str, today: date, said: str | None) -> None:
    found = warning_about(name, today)
    assert found is None if said is None else said in str(found)


def test_the_default_version_lives() -> None:
    assert warning_about(Settings().graph_version, date(2026, 11, 24)) is None
    assert Settings().graph_version in {version.name for version in VERSIONS}
