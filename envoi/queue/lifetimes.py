"""How long the queue keeps what is known of a settled job."""

from __future__ import annotations

from functools import lru_cache

from envoi.settings import Settings


def times_to_live(settings: Settings) -> tuple[int, int]:
    """How long a settled job's status and its key are kept, whole seconds: the last arguments of what settles."""
    return _whole_seconds(settings.status_ttl, settings.key_ttl)


@lru_cache(8)
def _whole_seconds(status_ttl: float, key_ttl: float) -> tuple[int, int]:
    return max(1, round(status_ttl)), max(1, round(key_ttl))
