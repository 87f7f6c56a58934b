"""What pydantic finds wrong, in our words: the field, its limit, and where the rule comes from.

The offending value is never repeated: it may be a message's text, a secret, or a megabyte long.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from envoi.errors import Problem

_FIELD_LIMIT = 100  # characters of a field's name that are repeated; a caller may have made it up

# pydantic's error types in our words; anything else keeps pydantic's own sentence.
_LIMITS = {
    "missing": "is required",
    "extra_forbidden": "is not a parameter that this version knows",
    "invalid_key": "is not a parameter that this version knows",
    "string_type": "must be a string",
    "string_unicode": "must be valid UTF-8: it contains a lone surrogate",
    "string_too_long": "at most {max_length} characters",
    "string_too_short": "must not be empty",
    "bool_type": "must be True or False",
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
    "model_type": "must be a string or the Send API's own object",
    "model_attributes_type": "must be a string or the Send API's own object",
}


def problems(error: ValidationError, limits: Mapping[str, str], sources: Mapping[str, str]) -> list[Problem]:
    """Everything that is wrong.

    Args:
        error: pydantic's.
        limits: by field, words for a value that does not fit the field's pattern or list.
        sources: by field, where its rule comes from.
    """
    return [_problem(detail, limits, sources) for detail in error.errors(include_url=False, include_input=False)]


def _problem(detail: ErrorDetails, limits: Mapping[str, str], sources: Mapping[str, str]) -> Problem:
    kind, context = detail["type"], detail.get("ctx", {})
    # A rule over several fields names its own.
    field = str(context.get("field") or ".".join(str(part) for part in detail["loc"]))[:_FIELD_LIMIT]
    if kind in {"string_pattern_mismatch", "literal_error"} and field in limits:
        limit = limits[field]
    elif kind in _LIMITS:
        limit = _LIMITS[kind].format_map(_plain(context))
    else:
        limit = detail["msg"]
    return Problem(field, limit, sources.get(field, ""))


def _plain(context: Mapping[str, Any]) -> dict[str, str]:
    """Figures without a needless ``.0``."""
    return {name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in context.items()}
