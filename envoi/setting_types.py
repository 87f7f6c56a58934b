"""The types of settings: how a variable of the environment is read, with its limit in the words an operator reads."""

from __future__ import annotations

import shlex
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_core import PydanticCustomError
from pydantic_settings import NoDecode

from envoi.fields import GRAPH_URL


def _split(value: object) -> object:
    """A comma-separated list; of a single secret a list of one."""
    if isinstance(value, SecretStr):
        return (value,)
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _without_slash(value: object) -> object:
    return value.rstrip("/") if isinstance(value, str) else value


def _in_words(value: SecretStr) -> SecretStr:
    try:
        words = shlex.split(value.get_secret_value())
    except ValueError:  # a quote that is not closed
        words = []
    if not words:
        raise PydanticCustomError("envoi", "must be a command, with every quote closed")
    return value


Seconds = Annotated[float, Field(gt=0, le=31_622_400, allow_inf_nan=False)]  # at most a year
Pace = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]  # per second
Calls = Annotated[float, Field(ge=1, le=10_000, allow_inf_nan=False)]  # per second
Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split)]  # comma-separated
GraphUrl = Annotated[str, BeforeValidator(_without_slash), Field(pattern=GRAPH_URL)]
# Taken apart into words as by a shell. Shown nowhere: a word may be a token, or an address that holds one.
CommandLine = Annotated[SecretStr, AfterValidator(_in_words)]
