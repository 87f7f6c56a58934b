"""Reading what the control interface is told, and refusing it with the name of the wrong field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request

Told = TypeVar("Told")


class Unusable(Exception):  # noqa: N818  # reads as what was told
    """What was told cannot be used.

    Attributes:
        problems: each with ``field`` (dotted; empty for the whole) and ``problem``.
    """

    def __init__(self, problems: list[dict[str, str]]) -> None:
        super().__init__("; ".join(f"{problem['field']}: {problem['problem']}" for problem in problems))
        self.problems = problems

    @classmethod
    def field(cls, name: str, problem: str) -> Unusable:
        """One problem with one field."""
        return cls([{"field": name, "problem": problem}])


class NotThere(Exception):  # noqa: N818  # reads as what was found
    """The control interface has no such page or rule; the message says which."""


async def read_body(request: Request, shape: TypeAdapter[Told]) -> Told:
    """The JSON body in its shape.

    Raises:
        Unusable: it is no JSON, or not of the shape.
    """
    body = await request.body()
    try:
        return shape.validate_json(body)
    except ValidationError as error:
        raise _unusable(error) from error


def read_query(request: Request, shape: TypeAdapter[Told]) -> Told:
    """The query parameters in their shape.

    Raises:
        Unusable: a parameter is unknown, given twice or out of its bounds.
    """
    pairs = request.query_params.multi_items()
    values: Mapping[str, str] = dict(pairs)
    if len(values) != len(pairs):
        twice = sorted({name for name, _ in pairs if len(request.query_params.getlist(name)) > 1})
        raise Unusable([{"field": name, "problem": "given more than once"} for name in twice])
    try:
        return shape.validate_python(values)
    except ValidationError as error:
        raise _unusable(error) from error


def _unusable(error: ValidationError) -> Unusable:
    # Not the input: a page's token may be in it.
    return Unusable(
        [
            {"field": ".".join(str(part) for part in detail["loc"]), "problem": detail["msg"]}
            for detail in error.errors(include_input=False, include_url=False, include_context=False)
        ]
    )
