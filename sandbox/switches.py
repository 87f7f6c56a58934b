"""What Meta does differently from one year or one reader to the next, as switches (SEND_API 11.8 and 12)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from sandbox.faults import Status

CodeName = Annotated[str, Field(pattern=r"^-?[0-9]+(/[0-9]+)?$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """The readings of the facts in force.

    Attributes:
        tags_retired: refuse ACCOUNT_UPDATE, CONFIRMED_EVENT_UPDATE and POST_PURCHASE_UPDATE. The French reference lists
            them as valid, Meta's pages of 2026 refuse them since 2026-04-27; SEND_API 12 chooses to refuse.
        statuses: HTTP statuses by ``"code"`` or ``"code/subcode"``, which go before the table in ``errors.py``.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    tags_retired: bool = True
    statuses: dict[CodeName, Status] = field(default_factory=dict)
