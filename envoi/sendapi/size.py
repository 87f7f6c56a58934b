"""A bound on what is looked at: what is too large or nested too deeply is refused before anything else."""

from __future__ import annotations

from collections.abc import Mapping

from envoi.errors import Problem

OBJECT_LIMIT = 131_072  # characters of all names and texts, and one for each value; ours: Meta publishes none
DEPTH_LIMIT = 16  # objects and lists in one another; the deepest known template has 8


class _BeyondError(Exception):
    """A limit was met; what lies behind it is not looked at."""


def size_problems(fields: Mapping[str, object]) -> list[Problem]:
    """What is too large among some fields. It takes no longer than the limits allow, whatever is given."""
    found = []
    for field, value in fields.items():
        try:
            _measured(value, DEPTH_LIMIT, OBJECT_LIMIT)
        except _BeyondError as beyond:
            found.append(Problem(field, str(beyond)))
    return found


def _measured(value: object, depth: int, left: int) -> int:
    """How much of the size is left after a value."""
    if isinstance(value, str):
        left -= len(value)
    elif isinstance(value, dict | list | tuple):
        if depth == 0:
            raise _BeyondError(f"at most {DEPTH_LIMIT} objects and lists in one another")
        for item in value:  # of an object: its names
            left = _measured(item, depth - 1, left)
            if isinstance(value, dict):
                left = _measured(value[item], depth - 1, left)
    if left <= 0:
        raise _BeyondError(f"at most {OBJECT_LIMIT} characters in all")
    return left - 1
