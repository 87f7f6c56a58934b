"""Variables of Celery's own. They go before what an application sets: workers would listen where nobody rings."""

from __future__ import annotations

import os

_VARIABLES = ("CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL")


def turning(redis_url: str) -> list[str]:
    """Those in the environment that turn Celery away from a queue's Redis."""
    return [name for name in _VARIABLES if os.environ.get(name) not in {None, "", redis_url}]
