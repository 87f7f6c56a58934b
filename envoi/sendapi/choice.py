"""How the model of an object is chosen by one of its own fields, with errors that name that field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from envoi.problems import CHOICE


def chosen_by(
    name: str, known: tuple[str, ...], other: str | None = None
) -> tuple[Callable[[Any], str | None], str, str]:
    """The arguments of a pydantic ``Discriminator``.

    Tags are written ``<tag>``: so they can be told from names of fields, and left out of an error's path.

    Args:
        name: of the field to choose by.
        known: the values it may have.
        other: the tag for another text; None: refused.
    """

    def tag(value: Any) -> str | None:  # noqa: ANN401  # whatever the caller gives
        found = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
        if not isinstance(found, str):
            return None
        return f"<{found}>" if found in known else other

    return tag, f"{CHOICE}{name}", f"must be {_listed(known)}"


def _listed(values: tuple[str, ...]) -> str:
    *first, last = (f"'{value}'" for value in values)
    return f"{', '.join(first)} or {last}"
