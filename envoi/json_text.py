"""JSON on the hot path: pydantic's reader and writer, which take a third of the standard library's time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import from_json, to_json


def dumped(value: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> bytes:
    """Compact JSON, UTF-8.

    Raises:
        ValueError: there is text in it that is not Unicode (lone surrogates).
    """
    return to_json(value)


def loaded(text: str | bytes) -> Any:  # noqa: ANN401  # as json.loads
    """What :func:`json.loads` makes of it.

    Raises:
        ValueError, RecursionError: it is no JSON.
    """
    try:
        return from_json(text)
    except ValueError:  # the standard library takes more: UTF-16, deep nesting, lone surrogates
        return json.loads(text)
