"""A page as the queue has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Self

from envoi.queue.slowing import DOUBLING, regrown


@dataclass(frozen=True, slots=True)
class QueuedPage:
    """What the queue says of a page.

    Attributes:
        paused_since: None while it is not paused.
        reason: why it is paused.
        in_flight: conversations that workers hold now.
        token_version: 0: the queue was never told.
        app: Meta's id of its app; None: the app of ``ENVOI_APP_SECRET``.
        held_until: end of a throttle of the page itself; None: it is not held.
        part: of its pace that it has left, 0.1 to 1, as far as the page's own quota goes.
    """

    FIELDS: ClassVar = ("paused", "since", "busy", "tv", "ap", "sf", "st", "sd")

    paused_since: datetime | None
    reason: str | None
    in_flight: int
    token_version: int
    app: str | None
    held_until: datetime | None
    part: float

    @classmethod
    def read(cls, row: Sequence[str | None], now: float) -> Self:
        """From the fields of its hash.

        Args:
            row: the values of ``FIELDS``.
            now: seconds since the epoch, by Redis's clock.
        """
        paused, since, busy, version, app, part, slowed_at, doubling = row
        grows_from = float(slowed_at or 0)
        return cls(
            paused_since=None if paused is None else datetime.fromtimestamp(float(since or 0), UTC),
            reason=paused,
            in_flight=int(busy or 0),
            token_version=int(version or 0),
            app=app or None,
            # A hold is the only thing that sets the time from which a pace grows into the future.
            held_until=datetime.fromtimestamp(grows_from, UTC) if grows_from > now else None,
            part=1.0 if part is None else regrown(float(part), now - grows_from, float(doubling or DOUBLING)),
        )
