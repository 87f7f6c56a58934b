"""Faults to order: what goes wrong instead of, or after, the right answer.

Each is one closed type; ``delivered`` says whether the step takes effect before things go wrong: the difference between
a call that may be repeated and one that may not, which the client cannot see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, ConfigDict, Field

from sandbox.errors import GraphError, delivered_all_the_same, known

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_STRICT = ConfigDict(extra="forbid")
_WITHOUT_BODY = (204, 205, 304)


def _with_body(status: int) -> int:
    if status in _WITHOUT_BODY:
        raise ValueError("an answer of this status has no body that could hold an error")
    return status


Status = Annotated[int, Field(ge=200, le=599), AfterValidator(_with_body)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorAnswer:
    """A Graph error; with ``status`` 200 it is an error in a body that looks like success (SEND_API 4).

    Attributes:
        code: Graph's code.
        subcode: Graph's subcode.
        status: HTTP status; the table's where None.
        message: the error's message, exactly; the table's where None.
        is_transient: the table's where None.
        delivered: deliver first; where None, only for 1/1357046, which Meta documents so (SEND_API 0.4).
        seconds: wait this long before the answer.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    kind: Literal["error"] = "error"
    code: int
    subcode: int | None = None
    status: Status | None = None
    message: str | None = None
    is_transient: bool | None = None
    delivered: bool | None = None
    seconds: Seconds = 0.0

    def __post_init__(self) -> None:
        if self.delivered is None:
            object.__setattr__(self, "delivered", delivered_all_the_same(self.code, self.subcode))

    def error(self) -> GraphError:
        """The error to answer with."""
        usual = known(self.code, self.subcode, self.message)
        transient = usual.is_transient if self.is_transient is None else self.is_transient
        return GraphError(usual.code, usual.message, usual.subcode, usual.type, transient, self.status)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """The TCP connection is reset; no answer. With ``delivered``, the answer is lost, the message is not."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    kind: Literal["reset"] = "reset"
    delivered: bool = False
    seconds: Seconds = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """The connection stays open and no answer ever comes, until the client hangs up."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    kind: Literal["hold"] = "hold"
    delivered: bool = False
    seconds: Seconds = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    """The right answer, late: the wait is before the delivery, or after it with ``delivered``."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    kind: Literal["slow"] = "slow"
    seconds: Seconds
    delivered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BadGateway:
    """502 with an HTML page and no JSON (facebook.cr#1)."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    kind: Literal["bad_gateway"] = "bad_gateway"
    delivered: bool = False
    seconds: Seconds = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbage:
    """200 with a body that is not JSON."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    kind: Literal["garbage"] = "garbage"
    delivered: bool = True
    seconds: Seconds = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NoMessageId:
    """200 with a JSON body that lacks ``message_id``."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    kind: Literal["no_message_id"] = "no_message_id"
    delivered: bool = True
    seconds: Seconds = 0.0


Fault = Annotated[
    ErrorAnswer | Reset | Hold | Slow | BadGateway | Garbage | NoMessageId,
    Field(discriminator="kind"),
]
