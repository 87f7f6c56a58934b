"""Small checks of a value's shape, each with Graph's code and a name of the wrong part."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from sandbox.errors import Refused, invalid, known


def text(value: object, name: str, most: int | None = None, *, required: bool = True, least: int = 1) -> None:
    """Refuse what is no string, or one too short or too long, counted in characters.

    Raises:
        Refused: 100.
    """
    if value in (None, "") and not required:
        return
    if value in (None, ""):
        raise invalid(f"Param {name} is required")
    if not isinstance(value, str):
        raise invalid(f"Param {name} must be a string")
    if most is not None and len(value) > most:
        raise invalid(f"Length of param {name} must be less than or equal to {most}")
    if len(value) < least:
        raise invalid(f"Length of param {name} must be greater than or equal to {least}")


def rows(value: object, name: str, least: int, most: int) -> list[Mapping[str, object]]:
    """The objects of an array.

    Raises:
        Refused: 100, it is no array of objects; 105 and 194 for too many and too few (SEND_API 3: codes of their own).
    """
    if value is None and least:
        raise invalid(f"Param {name} is required")
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise invalid(f"Param {name} must be an array of objects")
    if len(value) > most:
        raise Refused(known(105, None, f"(#105) Param {name} has too many elements."))
    if len(value) < least:
        raise Refused(known(194, None, f"(#194) Param {name} has too few elements."))
    return value


def fields(value: object, name: str) -> Mapping[str, object]:
    """The fields of an object.

    Raises:
        Refused: 100, it is none.
    """
    if not isinstance(value, dict):
        raise invalid(f"Param {name} must be an object")
    return value


def choice(value: object, name: str, values: tuple[str, ...]) -> None:
    """Refuse what is not one of these.

    Raises:
        Refused: 100.
    """
    if value not in values:
        raise invalid(f"Param {name} must be one of {{{', '.join(values)}}}")


def address(value: object, name: str, *, required: bool = True) -> None:
    """Refuse what is no address (SEND_API 3, Buttons: "… should represent a valid URL").

    Raises:
        Refused: 100.
    """
    if value in (None, "") and not required:
        return
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
    except ValueError:
        parts = None
    if parts is None or parts.scheme.lower() not in ("http", "https") or not parts.netloc:
        raise invalid(f"Param {name} should represent a valid URL")
