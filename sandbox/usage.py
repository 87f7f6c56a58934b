"""The usage headers (SEND_API 5), as whole percents that a test sets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from sandbox.pages import Page, Platform

MAX_PERCENT = 1000
Percent = Annotated[int, Field(ge=0, le=MAX_PERCENT)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppUsage:
    """``X-App-Usage``; Meta goes above 100 where an app does not stop."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    call_count: Percent = 1
    total_cputime: Percent = 1
    total_time: Percent = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PageUsage:
    """One object of ``X-Business-Use-Case-Usage``; ``estimated_time_to_regain_access`` is in minutes."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    call_count: Percent = 1
    total_cputime: Percent = 1
    total_time: Percent = 1
    estimated_time_to_regain_access: Annotated[int, Field(ge=0)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What the headers say.

    Attributes:
        app: of the app.
        pages: by page id; a page not named has the defaults.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    app: AppUsage = field(default_factory=AppUsage)
    pages: Mapping[str, PageUsage] = field(default_factory=dict)

    def at_least_app(self, percent: int) -> Usage:
        """The same, with at least so much of the app's calls used up."""
        app = replace(self.app, call_count=max(self.app.call_count, min(percent, MAX_PERCENT)))
        return replace(self, app=app)

    def at_least_page(self, page: str, percent: int, minutes: int) -> Usage:
        """The same, with at least so much of a page's calls used up, and so many minutes to wait."""
        usage = self.pages.get(page, _UNNAMED)
        ramped = replace(
            usage,
            call_count=max(usage.call_count, min(percent, MAX_PERCENT)),
            estimated_time_to_regain_access=max(usage.estimated_time_to_regain_access, minutes),
        )
        return replace(self, pages={**self.pages, page: ramped})

    def headers(self, page: Page | None) -> list[tuple[bytes, bytes]]:
        """The headers for an answer to a page's request."""
        headers = [(b"x-app-usage", _json(_percents(self.app)))]
        if page is not None:
            kind = "instagram" if page.platform is Platform.INSTAGRAM else "messenger"
            usage = self.pages.get(page.id, _UNNAMED)
            minutes = {"estimated_time_to_regain_access": usage.estimated_time_to_regain_access}
            figures = {"type": kind, **_percents(usage), **minutes}
            headers.append((b"x-business-use-case-usage", _json({page.id: [figures]})))
        return headers


_UNNAMED = PageUsage()


def _percents(usage: AppUsage | PageUsage) -> dict[str, int]:
    # By hand: `asdict` takes ten times as long, on every answer.
    return {
        "call_count": usage.call_count,
        "total_cputime": usage.total_cputime,
        "total_time": usage.total_time,
    }


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")
