"""What Meta does differently from one year or one reader to the next, as switches (SEND_API 11.8 and 12)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from sandbox.faults import Seconds, Status

CodeName = Annotated[str, Field(pattern=r"^-?[0-9]+(/[0-9]+)?$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """The readings of the facts in force.

    Attributes:
        tags_retired: refuse ACCOUNT_UPDATE, CONFIRMED_EVENT_UPDATE and POST_PURCHASE_UPDATE. The French reference lists
            them as valid, Meta's pages of 2026 refuse them since 2026-04-27; SEND_API 12 chooses to refuse.
        statuses: HTTP statuses by ``"code"`` or ``"code/subcode"``, which go before the table in ``errors.py``.
        unknown_templates: whether a template type that the facts do not list is refused; newer ones may exist.
        window: ``enforce`` refuses messages outside the window (SEND_API 2); ``off`` lets all pass.
        unknown_conversations: whether, while the window is enforced, a person may be written to who never did anything.
        conversations_per_second: reads of conversations that a page may make in any second (SEND_API 5: 2); None for
            no limit.
        conversations_permission: whether conversations may be read at all; else 10.
        visible_after_seconds: how long a message is in no conversation yet that is read. SEND_API 8: not stated.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    tags_retired: bool = True
    unknown_templates: Literal["allow", "refuse"] = "refuse"
    window: Literal["off", "enforce"] = "off"
    unknown_conversations: Literal["allow", "refuse"] = "allow"
    conversations_per_second: Annotated[int, Field(ge=1)] | None = 2
    conversations_permission: bool = True
    visible_after_seconds: Seconds = 0.0
    statuses: dict[CodeName, Status] = field(default_factory=dict)
