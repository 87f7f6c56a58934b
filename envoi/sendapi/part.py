"""What every object of the Send API is made of: the base model, and texts, addresses and amounts with their limits."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, StrictStr
from pydantic_core import PydanticCustomError

from envoi.fields import STORABLE

NAME_LIMIT = 1000  # characters of a name or token that Meta made up; ours: no limit is known
URL_LIMIT = 8192  # characters; ours: no limit is known
_AMOUNT_LIMIT = 1e12
_INTEGER_LIMIT = 2**63


class Part(BaseModel):
    """An object of the Send API: fields it does not know are refused, and it never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def wrong(limit: str, *, field: str | None = None, part: str | None = None, source: str | None = None) -> Exception:
    """The error that a validator raises.

    Args:
        limit: what has to hold, in the words the caller reads.
        field: full path of the field that is meant, instead of the one being validated.
        part: name of a field inside the one being validated.
        source: where the rule comes from.
    """
    given = {"field": field, "part": part, "source": source}
    # Braces in a template would be taken for names of the context.
    return PydanticCustomError("envoi", "{limit}", {"limit": limit, **{k: v for k, v in given.items() if v}})


def exactly_one(part: Part, names: tuple[str, ...], source: str) -> None:
    """Refuse an object in which not exactly one of these fields is given."""
    if sum(getattr(part, name) is not None for name in names) != 1:
        raise wrong(f"must have exactly one of {', '.join(names)}", source=source)


def _plain_words(text: str) -> str:
    lowered = text.lower()
    if "://" in lowered or "www." in lowered:
        raise wrong("must not contain an address")
    return text


def _amount(value: object) -> int | float:
    """A price as JSON has it: it stays an int or a float, as it was given."""
    fits = isinstance(value, int | float) and not isinstance(value, bool)
    # Not isfinite: that makes a float of an integer, which may be too large for one. NaN is within no limit.
    if not fits or not abs(value) <= _AMOUNT_LIMIT:  # type: ignore[arg-type]  # fits says so
        raise wrong("must be a number of moderate size")
    return value  # type: ignore[return-value]  # fits says so


def passed_through(value: object) -> Any:  # noqa: ANN401  # whatever JSON can hold
    """Plain JSON that nothing is known about: checked only for what no queue and no database could hold.

    Its depth was bounded before (:mod:`envoi.sendapi.size`).
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _plain_text(value)
    if isinstance(value, int) and abs(value) < _INTEGER_LIMIT:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if isinstance(value, list | tuple):
        return [passed_through(item) for item in value]
    if isinstance(value, dict) and all(isinstance(name, str) for name in value):
        return {_plain_text(name): passed_through(item) for name, item in value.items()}
    raise wrong("must be plain JSON with finite numbers of moderate size")


def _plain_text(text: str) -> str:
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise wrong("must be valid UTF-8 without the character NUL")
    return text


def _known_object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise wrong("must be an object")
    found: dict[str, Any] = passed_through(value)
    return found


Name = Annotated[StrictStr, Field(min_length=1, max_length=NAME_LIMIT), STORABLE]
Digits = Annotated[StrictStr, Field(pattern=r"^[0-9]{1,64}$"), STORABLE]
Url = Annotated[StrictStr, Field(pattern=r"^(?i:https?)://[^\s\x00]+$", max_length=URL_LIMIT), STORABLE]
Text20 = Annotated[StrictStr, Field(min_length=1, max_length=20), STORABLE]
Text45 = Annotated[StrictStr, Field(min_length=1, max_length=45), STORABLE]
Text80 = Annotated[StrictStr, Field(min_length=1, max_length=80), STORABLE]
Text400 = Annotated[StrictStr, Field(min_length=1, max_length=400), STORABLE]
Text640 = Annotated[StrictStr, Field(min_length=1, max_length=640), STORABLE]
Payload = Annotated[StrictStr, Field(min_length=1, max_length=1000), STORABLE]  # of a button or quick reply
PLAIN_WORDS = AfterValidator(_plain_words)
Amount = Annotated[int | float, PlainValidator(_amount)]
PlainObject = Annotated[dict[str, Any], PlainValidator(_known_object)]
