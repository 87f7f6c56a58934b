"""Structured logs of the applications: one JSON object a line on standard error, wide rather than many.

Each line has a stable ``action``; ours come through structlog alone, those of libraries through ``logging`` in the same
form.
Neither tokens nor message texts belong in a line.
"""

from __future__ import annotations

import logging
import sys
import threading

import structlog
from structlog.typing import Processor

_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)

_LAST: tuple[Processor, ...] = (
    structlog.processors.EventRenamer("message"),
    structlog.processors.JSONRenderer(),
)


class _StandardError:
    """Writes lines. What cannot be written is nobody's trouble, as with ``logging``: it must stop no delivery."""

    _lock = threading.Lock()

    def __init__(self, *_: object) -> None:
        pass

    def msg(self, line: str) -> None:
        """Write one."""
        try:
            with self._lock:
                sys.stderr.write(line + "\n")
        except (OSError, ValueError, AttributeError):  # its reader has gone, it is closed, or there is none:
            pass  # there is nowhere left to say so

    debug = info = warning = warn = error = exception = critical = fatal = msg


def configure_logs(level: str = "INFO") -> None:
    """Set the logs of this process up, once, before anything is logged.

    Args:
        level: lines below it are dropped: DEBUG, INFO, WARNING or ERROR.

    Raises:
        ValueError: there is no such level.
    """
    # Ours are written straight to standard error: by way of `logging` a line took three times as long, and a worker
    # writes one a job.
    structlog.configure(
        processors=[
            *_SHARED,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            *_LAST,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping().get(level, level)),
        logger_factory=_StandardError,
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_SHARED, _library, structlog.processors.format_exc_info],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *_LAST,
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
