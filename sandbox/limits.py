"""Limits of calls, in numbers that a test chooses (SEND_API 5): rates, quotas, and headers that ramp up to them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from sandbox.call import MESSAGE, READ, Call, attachments_of
from sandbox.errors import Refused, known
from sandbox.media import MEDIA_TYPES
from sandbox.pages import Page, Platform
from sandbox.throttle import Rate

Count = Annotated[int, Field(ge=1)]
_STRICT = ConfigDict(extra="forbid")
_HOUR, _DAY = 3600.0, 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is allowed; None for no limit.

    Attributes:
        calls_per_second: calls of the Send API for a page (SEND_API 5: 300).
        media_per_second: of these, with media (SEND_API 5: 10).
        brake_per_second: messages of a page; above it, all its messages are refused until fewer than that were tried
            in the last second (SEND_API 0.3: 40).
        thread_per_minute: messages of a page to one recipient. SEND_API 5: no number is published.
        app_calls_per_hour: all calls; `X-App-Usage` ramps up to 100 % of it.
        page_calls_per_day: calls of a page; `X-Business-Use-Case-Usage` ramps up to 100 % of it.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    calls_per_second: Count | None = None
    media_per_second: Count | None = None
    brake_per_second: Count | None = None
    thread_per_minute: Count | None = None
    app_calls_per_hour: Count | None = None
    page_calls_per_day: Count | None = None


NO_LIMITS = Limits()


class Quotas:
    """What was called so far, as far as a limit asks for it."""

    def __init__(self) -> None:
        self._rates: dict[tuple[str, str], Rate] = {}

    def check(self, limits: Limits, page: Page, call: Call, now: float) -> None:
        """Count a call, and refuse it if it is one too many. A refused one counts too: it "lengthens the block".

        Raises:
            Refused: 4 for the app, 80006 (Instagram: 80002) for the page's quota, 613 for any rate. For the brake and
                for a thread no code is published.
        """
        for kind, whose, most, span, code in _asked(limits, page, call):
            if most is None:
                continue
            rate = self._rates.setdefault((kind, whose), Rate(span))
            rate.add(now)
            if rate.count(now) > most:
                raise Refused(known(code))

    def braked(self, limits: Limits, page: Page, now: float) -> bool:
        """Whether the page's volume holds the brake; then its conversations cannot be listed either (SEND_API 5)."""
        rate = self._rates.get(("brake", page.id))
        return limits.brake_per_second is not None and rate is not None and rate.count(now) > limits.brake_per_second

    def app_percent(self, limits: Limits, now: float) -> int:
        """How much of the app's quota is used, in whole percents; 0 without one."""
        return self._percent(limits.app_calls_per_hour, "app", "", now)

    def page_percent(self, limits: Limits, page: Page, now: float) -> tuple[int, int]:
        """How much of a page's quota is used, and the minutes until it may call again."""
        percent = self._percent(limits.page_calls_per_day, "page", page.id, now)
        rate = self._rates.get(("page", page.id))
        if rate is None or limits.page_calls_per_day is None or percent < 100:  # noqa: PLR2004  # percent
            return percent, 0
        return percent, math.ceil(rate.seconds_until_below(limits.page_calls_per_day, now) / 60)

    def _percent(self, most: int | None, kind: str, whose: str, now: float) -> int:
        rate = self._rates.get((kind, whose))
        return 0 if most is None or rate is None else 100 * rate.count(now) // most


def _asked(limits: Limits, page: Page, call: Call) -> list[tuple[str, str, int | None, float, int]]:
    """Each limit that this call falls under: its kind, whose it is, how many in how many seconds, and the code."""
    over_quota = 80002 if page.platform is Platform.INSTAGRAM else 80006
    asked: list[tuple[str, str, int | None, float, int]] = [
        ("app", "", limits.app_calls_per_hour, _HOUR, 4),
        ("page", page.id, limits.page_calls_per_day, _DAY, over_quota),
    ]
    if call.step != READ:
        asked.append(("calls", page.id, limits.calls_per_second, 1.0, 613))
    if call.step == MESSAGE:
        if _has_media(call):
            asked.append(("media", page.id, limits.media_per_second, 1.0, 613))
        asked.append(("brake", page.id, limits.brake_per_second, 1.0, 613))
        asked.append(("thread", call.conversation(page.id) or page.id, limits.thread_per_minute, 60.0, 613))
    return asked


def _has_media(call: Call) -> bool:
    return any(attachment.get("type") in MEDIA_TYPES for attachment in attachments_of(call.message))
