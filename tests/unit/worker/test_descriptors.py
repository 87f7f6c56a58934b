"""The limit of open files, which each call in flight counts against."""

from __future__ import annotations

import resource

import pytest

from envoi.errors import BadSettings
from worker.descriptors import make_room


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[int, int]]:
    """Those of this process, soft and hard, as far as it can see; the true ones stay as they are."""
    found = {"now": (1024, 4096)}
    monkeypatch.setattr(resource, "getrlimit", lambda _: found["now"])
    monkeypatch.setattr(resource, "setrlimit", lambda _, now: found.update(now=now))
    return found


@pytest.mark.parametrize(
    ("before", "concurrency", "after"),
    [
        ((1024, 4096), 32, (1024, 4096)),
        ((1024, 4096), 896, (1024, 4096)),
        ((1024, 4096), 897, (1025, 4096)),
        ((1024, 4096), 3968, (4096, 4096)),
        ((1024, resource.RLIM_INFINITY), 5000, (5128, resource.RLIM_INFINITY)),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), 5000, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)),
    ],
)
def test_the_own_limit_is_raised_to_what_is_needed_and_never_lowered(
    limits: dict[str, tuple[int, int]], before: tuple[int, int], concurrency: int, after: tuple[int, int]
) -> None:
    limits["now"] = before
    make_room(concurrency)
    assert limits["now"] == after


def test_where_the_system_allows_less_the_setting_and_the_most_are_named(limits: dict[str, tuple[int, int]]) -> None:
    with pytest.raises(BadSettings, match=r"ENVOI_CONCURRENCY.*at most 3968 here.*4096 files"):
        make_room(3969)
    assert limits["now"] == (1024, 4096)
