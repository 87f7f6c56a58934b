"""What is asked and told about webhooks and windows."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from envoi.action import Action
from envoi.job import Job
from envoi.notices import Inbound, Notice, Receipt, dump
from envoi.queue.keys import Keys, conversation_of
from envoi.queue.question import Asking, Plain, command, run
from envoi.settings import Settings
from envoi.window import KEPT, WindowClosed, window_rule

_FED = 86_400  # seconds that a page counts as fed with webhooks after a person was heard of


class WebhookQuestions:
    """Questions about webhooks and the window of one queue."""

    def __init__(self, settings: Settings, keys: Keys) -> None:
        self.settings = settings
        self.keys = keys

    def take_notices(self, notices: Sequence[Notice]) -> Asking[int]:
        """See :meth:`envoi.queue.webhooks.Webhooks.take_notices`."""
        if not notices:
            return 0
        settings = self.settings
        heard = _heard(notices)
        told = [dump(notice) for notice in notices if not isinstance(notice, Inbound | Receipt)]
        logged = dict.fromkeys(dump(notice) for notice in notices if isinstance(notice, Inbound | Receipt))
        news: int = yield from run(
            "webhook",
            settings.webhooks_cap,
            settings.receipts_cap,
            KEPT,
            _FED,
            max(1, round(settings.refusal_ttl_fed)),
            len(heard),
            len(told),
            *(part for conversation, at in heard.items() for part in (conversation, f"{at:.6f}")),
            *told,
            *logged,
        )
        return news

    def heard_of(self, conversations: Sequence[str]) -> Asking[list[float | None]]:
        """When the person of each conversation was last heard of, seconds since the epoch; None: not known."""
        if not conversations:
            return []
        found: Any = yield from command("MGET", *(self.keys.heard(one) for one in conversations))
        return [None if one is None else float(one) for one in found]

    def window_option(self, job: Job | Action) -> str:
        """The job's window rule as ``enqueue`` reads it among its options; empty where none is enforced."""
        rule = _rule(job) if self.settings.window == "enforce" else None
        return "" if rule is None else f"w={rule}"

    def warn_of_windows(self, jobs: Iterable[Job | Action]) -> Asking[None]:
        """Warn of each job whose person's window is closed now."""
        ruled = [(job, rule) for job in jobs if (rule := _rule(job)) and job.at is None]
        if not ruled:
            return
        heard = yield from self.heard_of([conversation_of(job.page, "id", job.recipient.key) for job, _ in ruled])
        [(seconds, micros)] = yield Plain((("TIME",),))
        now = seconds + micros / 1e6
        for (job, rule), at in zip(ruled, heard, strict=True):
            if at is not None and at + rule <= now:
                text = f"page {job.page}: the window of a recipient is closed: this message may go out no later than"
                told = f"{text} {rule // 3600} h after the person's last message"
                warnings.warn(told, WindowClosed, stacklevel=_callers_level())


def _callers_level() -> int:
    """How far above our caller the first frame lies that is none of Envoi's: the app's own line."""
    level, frame = 1, sys._getframe(1)  # noqa: SLF001  # as the standard library's own modules do
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).partition(".")[0] == "envoi":
        level, frame = level + 1, frame.f_back
    return level


def _heard(notices: Iterable[Notice]) -> dict[str, float]:
    """The latest sign of life in each conversation."""
    heard: dict[str, float] = {}
    for notice in notices:
        if isinstance(notice, Inbound):
            conversation = conversation_of(notice.page, "id", notice.person)
            heard[conversation] = max(notice.at, heard.get(conversation, 0.0))
    return heard


def _rule(job: Job | Action) -> int | None:
    if isinstance(job, Action):
        return None  # whether the window is for actions too is not known (SEND_API 10); the answer says
    return _rule_of(job.recipient.kind, job.messaging_type, job.tag, job.reply_to is not None)


@cache  # of few: thousands of jobs a second are alike in these
def _rule_of(kind: str, messaging_type: str, tag: str | None, answers: bool) -> int | None:
    return window_rule({"recipient": {kind: True}, "messaging_type": messaging_type, "tag": tag, "reply_to": answers})


def joined(*options: str) -> str:
    """Options of a job for the scripts, as job.lua reads them."""
    return ";".join(option for option in options if option)
