"""What pydantic finds wrong, in our words: the field, its limit, and where the rule comes from.

The offending value is never repeated: it may be a message's text, a secret, or a megabyte long.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from envoi.errors import Problem

CHOICE = "envoi choice by "  # error type, followed by the field that a model was to be chosen by
MOST = 100  # problems of one job that are told
_SHORT = ("recipient", "message")  # a string stands for each of these objects
_FIELD_LIMIT = 100  # characters of a field's name that are repeated; a caller may have made it up

# pydantic's error types in our words; anything else keeps pydantic's own sentence.
_LIMITS = {
    "missing": "is required",
    "extra_forbidden": "is not a parameter that this version knows",
    "invalid_key": "is not a parameter that this version knows",
    "string_type": "must be a string",
    "string_unicode": "must be valid UTF-8: it contains a lone surrogate",
    "string_too_long": "at most {max_length} characters",
    "string_too_short": "at least {min_length} characters",
    "too_long": "at most {max_length} elements",
    "too_short": "at least {min_length} elements",
    "list_type": "must be a list",
    "bool_type": "must be True or False",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number of moderate size",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "none_required": "is not supported by this version",
    "datetime_type": "must be an aware datetime",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
}


def problems(error: ValidationError, limits: Mapping[str, str], sources: Mapping[str, str]) -> list[Problem]:
    """Everything that is wrong, up to a hundred problems.

    Args:
        error: pydantic's.
        limits: by field, or by ``*.`` and the last part of its path, words for a value that does not fit the field's
            pattern or list.
        sources: by field, where its rule comes from; it holds for the fields inside too.
    """
    details = error.errors(include_url=False, include_input=False)[:MOST]
    return [_problem(detail, limits, sources) for detail in details]


def _problem(detail: ErrorDetails, limits: Mapping[str, str], sources: Mapping[str, str]) -> Problem:
    kind, context = detail["type"], detail.get("ctx", {})
    field = _path(detail) or "the name of a field"  # pydantic gives no place for a name that is not UTF-8
    limit = limits.get(field) or limits.get(f"*.{field.rpartition('.')[2]}")
    if kind not in {"string_pattern_mismatch", "literal_error", "extra_forbidden"} or limit is None:
        limit = _limit(kind, field, detail)
    elif kind == "extra_forbidden" and field not in limits:
        limit = _LIMITS[kind]
    return Problem(field, limit, str(context.get("source") or _source(field, sources)))


def _limit(kind: str, field: str, detail: ErrorDetails) -> str:
    if kind in {"model_type", "model_attributes_type"} and field in _SHORT:
        return "must be a string or the Send API's own object"
    context = detail.get("ctx", {})
    if kind == "string_too_short" and context.get("min_length") == 1:
        return "must not be empty"
    limit = _LIMITS[kind].format_map(_plain(context)) if kind in _LIMITS else detail["msg"]
    return limit.removesuffix("s") if limit.endswith((" 1 elements", " 1 characters")) else limit


def _path(detail: ErrorDetails) -> str:
    """The field's path. A rule over several fields names its own; tags of a choice between models are no fields."""
    context = detail.get("ctx", {})
    if "field" in context:
        return str(context["field"])[:_FIELD_LIMIT]
    inside = context.get("part") or (detail["type"].startswith(CHOICE) and detail["type"].removeprefix(CHOICE))
    parts = [str(part)[:_FIELD_LIMIT] for part in (*detail["loc"], *([inside] if inside else []))]
    return ".".join(part for part in parts if not (part.startswith("<") and part.endswith(">")))[:_FIELD_LIMIT]


def _source(field: str, sources: Mapping[str, str]) -> str:
    while field and field not in sources:
        field = field.rpartition(".")[0]
    return sources.get(field, "")


def _plain(context: Mapping[str, Any]) -> dict[str, str]:
    """Figures without a needless ``.0``."""
    return {name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in context.items()}
