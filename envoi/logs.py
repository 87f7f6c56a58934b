"""Structured logs of the applications: one JSON object a line on standard error, wide rather than many.

Each line has a stable ``action``; ours come through structlog, those of libraries through ``logging`` in the same form.
Neither tokens nor message texts belong in a line.
"""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import Processor

_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def configure_logs(level: str = "INFO") -> None:
    """Set the logs of this process up, once, before anything is logged.

    Args:
        level: lines below it are dropped: DEBUG, INFO, WARNING or ERROR.

    Raises:
        ValueError: there is no such level.
    """
    structlog.configure(
        processors=[
            *_SHARED,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping().get(level, level)),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_SHARED, _library, structlog.processors.format_exc_info],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # A bell is no news, nor is every task that carries one.
    for chatty in ("urllib3", "kombu", "celery.redirected", "celery.app.trace", "celery.worker.strategy"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _library(_logger: object, _method: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """A library's line has no action of its own: it gets one, and the name of its logger."""
    line.setdefault("action", "library")
    record = line.get("_record")
    if isinstance(record, logging.LogRecord):
        line["logger"] = record.name
    return line
