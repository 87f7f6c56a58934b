"""The command ``envoi scheduler``: a scheduler in a process of its own."""

from __future__ import annotations

import argparse
import signal
import sys
import threading

import structlog

from envoi.cli.failures import told
from envoi.errors import EnvoiError
from envoi.logs import configure_logs
from envoi.settings import settings
from scheduler import leaving
from scheduler.collector import spare_the_collector
from scheduler.scheduler import Scheduler

_STOP_SECONDS = 2.0
_TURN_SECONDS = 0.2  # that the last turn may take: one script

log = structlog.get_logger()


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    return argparse.ArgumentParser(
        prog="envoi scheduler",
        description="Opens the queue, moves what has come due, rescues what dead workers held, and writes the log. "
        "Any number may run. Its settings are ENVOI_… variables (docs/settings.md).",
        epilog="Example: `envoi scheduler`",
    )


def main(argv: list[str]) -> int:
    """Run a scheduler until SIGTERM or SIGINT.

    Args:
        argv: the command's arguments, without its name.

    Returns:
        The exit status: 0 after a signal, 1 if it cannot run, with the reason on standard error.
    """
    parser().parse_args(argv)
    configure_logs()
    try:
        scheduler = Scheduler(settings())
    except EnvoiError as error:
        return _told(error)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: ended.set())
    spare_the_collector()
    scheduler.start()
    turning = _Turning(scheduler, ended)
    turning.start()
    ended.wait()
    in_order = scheduler.stop(_STOP_SECONDS)
    turning.join(_TURN_SECONDS)
    if turning.error is not None and not isinstance(turning.error, EnvoiError):
        raise turning.error
    status = 0 if turning.error is None else _told(turning.error)
    leaving.note(in_order=in_order and not turning.is_alive())
    leaving.leave(status)
    return status


def _told(error: EnvoiError) -> int:
    print("\n".join(told(error)), file=sys.stderr)  # noqa: T201  # a person reads this
    return 1


class _Turning(threading.Thread):
    """Turns the duties, so that the main thread hears signals at once while Redis does not answer.

    It is hardly waited for at the end: every turn is one script at a time, and whoever turns next goes on from there.

    Attributes:
        error: why it ended by itself.
    """

    def __init__(self, scheduler: Scheduler, ended: threading.Event) -> None:
        super().__init__(name="envoi-duties", daemon=True)
        self._scheduler = scheduler
        self._ended = ended
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            while not self._ended.is_set():
                self._ended.wait(self._scheduler.turn())
        except Exception as error:  # noqa: BLE001  # raised again by the main thread
            self.error = error
        finally:
            self._ended.set()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
