"""An app's subscription to webhooks: where they go, and what goes wrong with them on the way (SEND_API 7)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field

from sandbox.faults import Seconds

Share = Annotated[float, Field(ge=0, le=1)]
_STRICT = ConfigDict(extra="forbid")


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or not text.isascii() or not text.isprintable():
        raise ValueError("must be an http or https address in ASCII")
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Echoes:
    """``message_echoes`` of what the page's apps and humans write.

    Attributes:
        delay_seconds: real seconds from the moment a message takes effect.
        before_answer: the answer of the message call waits until the echo has been tried once (SEND_API 0.5).
        duplicate: share of the echoes that are sent twice.
        drop: share of the echoes that are never sent.
        standby: they come in ``standby``, as where another app owns the thread.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    delay_seconds: Seconds = 0.0
    before_answer: bool = False
    duplicate: Share = 0.0
    drop: Share = 0.0
    standby: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipts:
    """``message_deliveries`` or ``message_reads`` of the page's messages.

    Attributes:
        delay_seconds: real seconds from the moment a message takes effect.
        with_mids: a delivery names its message; else it has its watermark alone, as "sometimes" (SEND_API 7).
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    delay_seconds: Seconds = 0.0
    with_mids: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Which webhooks are sent where.

    Attributes:
        url: where they go; None for nowhere.
        app_secret: key of the signature; the sandbox's own where None.
        verify_token: with one, the address must answer the challenge before anything is sent to it (SEND_API 6).
        echo: None for none.
        deliveries: None for none. Messenger only.
        reads: None for none.
        retry_seconds: real seconds before each further attempt; then the webhook is lost. SEND_API 6: "at once a few
            times"; what comes after is a choice.
        answer_seconds: how long an attempt may take (SEND_API 6: 5 s).
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    url: Annotated[str, AfterValidator(_address)] | None = None
    app_secret: Annotated[str, Field(min_length=1)] | None = field(default=None, repr=False)
    verify_token: Annotated[str, Field(min_length=1)] | None = field(default=None, repr=False)
    echo: Echoes | None = field(default_factory=Echoes)
    deliveries: Receipts | None = None
    reads: Receipts | None = None
    retry_seconds: tuple[Seconds, ...] = (0.0, 0.0, 0.0, 10.0, 60.0, 300.0, 900.0, 1800.0)
    answer_seconds: Annotated[float, Field(gt=0, le=60)] = 5.0

    def shown(self) -> dict[str, object]:
        """The subscription without its secrets."""
        return {
            "url": self.url,
            "echo": self.echo,
            "deliveries": self.deliveries,
            "reads": self.reads,
            "retry_seconds": self.retry_seconds,
            "answer_seconds": self.answer_seconds,
        }
