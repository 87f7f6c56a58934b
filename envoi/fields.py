"""The types of a job's fields: what each takes, with the limit in the words the caller reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PlainValidator, StrictStr
from pydantic_core import PydanticCustomError

PAGE_ID = r"^[A-Za-z0-9_.-]{1,64}$"
PAGE_ID_LIMIT = "must be 1 to 64 letters, digits, '_', '.' or '-'"
APP_ID = r"^[0-9]{1,32}$"
GRAPH_URL = r"^https?://[^/?#@]+(/[^?#]*)?$"
OUTCOME_STREAM = r"[A-Za-z0-9_.-]{1,64}"
# celery:<task name>[@<queue>], or stream:<name>; without the characters that the queue's options are made of.
ON_OUTCOME = rf"^(celery:[A-Za-z0-9_.-]{{1,200}}(@[A-Za-z0-9_.:-]{{1,100}})?|stream:{OUTCOME_STREAM})$"
FURTHEST = timedelta(days=366)  # how far ahead a job may be planned: it waits in Redis
TYPING_LONGEST = 15.0  # seconds; the bubble ends by itself after 20 (SEND_API 10), and the message must come before
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _storable(text: str) -> str:
    """Refuse what no PostgreSQL row can hold; pydantic itself refuses lone surrogates."""
    if "\x00" in text:
        raise PydanticCustomError("envoi", "must not contain the character NUL")
    return text


def _moment(value: datetime) -> datetime:
    """An aware datetime that every part can hold, in UTC.

    A time that has passed is taken: a repeat with the same key must find its job, however late it comes.
    """
    if value.utcoffset() is None:
        raise PydanticCustomError("envoi", "must be an aware datetime")
    if not _EPOCH <= value <= datetime.now(UTC) + FURTHEST:
        raise PydanticCustomError("envoi", "must lie between 1970 and {days} days from now", {"days": FURTHEST.days})
    return value.astimezone(UTC)


def _typing(value: object) -> bool | float | str:
    if isinstance(value, bool) or (isinstance(value, str) and value == "auto"):
        return value
    if isinstance(value, int | float) and 0 < value <= TYPING_LONGEST:
        return float(value)
    limit = {"longest": f"{TYPING_LONGEST:g}"}
    raise PydanticCustomError("envoi", 'must be True, False, "auto", or seconds: more than 0, at most {longest}', limit)


STORABLE = AfterValidator(_storable)
Key = Annotated[StrictStr, Field(min_length=1, max_length=255), STORABLE]  # of a job or a broadcast
PageId = Annotated[StrictStr, Field(pattern=PAGE_ID), STORABLE]
Moment = Annotated[datetime, Field(strict=True), AfterValidator(_moment)]
Typing = Annotated[bool | float | Literal["auto"], PlainValidator(_typing)]
