"""``python -m sandbox``: a Graph API on localhost."""

from __future__ import annotations

import argparse
import gc
import logging
import math
import sys
from collections.abc import Callable, Sequence

from sandbox.control_pages import page_id, page_token
from sandbox.doorway import listen
from sandbox.latency import Latency
from sandbox.pages import Page, Platform
from sandbox.server import Server
from sandbox.start import Start
from sandbox.world import Sandbox

_MAX_PORT = 65_535
# The ledger only grows. To look through all of it for garbage takes a tenth of a second, by which the times of what
# comes in meanwhile are wrong: old objects are looked at a thousand times less often.
_SELDOM = (700, 10, 10_000)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT.

    Args:
        arguments: of the command line; the process's own if not given.

    Returns:
        The exit status: 0, or 1 if the address cannot be had.
    """
    options = parser().parse_args(arguments)
    gc.set_threshold(*_SELDOM)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        opened = listen(options.host, options.port)
    except OSError as error:
        sys.stderr.write(f"sandbox: cannot listen on {options.host}:{options.port}: {error}\n")
        return 1
    with opened:
        host = f"[{options.host}]" if ":" in options.host else options.host
        line = f"sandbox ready on http://{host}:{opened.getsockname()[1]}\n"
        Server(Sandbox(_start(options)), lambda: _say(line)).run(sockets=[opened])
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


def _start(options: argparse.Namespace) -> Start:
    platforms = {Platform.MESSENGER: options.page, Platform.INSTAGRAM: options.instagram}
    return Start(
        pages=[
            (Page(name, platform, options.app_secret), token)
            for platform, given in platforms.items()
            for name, token in given
        ],
        latency=Latency(default=options.latency),
        seed=options.seed,
        app_secret=options.app_secret,
    )


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    found = argparse.ArgumentParser(
        prog="envoi sandbox",
        description="A Graph API on localhost, with faults to order and a chat page at /sandbox/; see docs/sandbox.md.",
        epilog="Example: `envoi sandbox --page 1234567890=a-token`",
    )
    add = found.add_argument
    add("--port", type=_between(0, _MAX_PORT), default=8700, help="0 chooses a free one (8700)")
    add("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    add("--page", type=_page, action="append", default=[], metavar="PAGE=TOKEN", help="a page and a token of it")
    add("--instagram", type=_page, action="append", default=[], metavar="PAGE=TOKEN", help="the same, on Instagram")
    add("--app-secret", default=None, help="ask every page's requests for an appsecret_proof made with this")
    add("--latency", type=_seconds, default=0.0, help="seconds before a step takes effect (0)")
    add("--seed", type=int, default=0, help="of everything drawn by lot (0)")
    return found


def _between(low: int, high: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"must be a number from {low} to {high}")
        return int(text)

    return number


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError("must be a number of seconds") from error
    if not math.isfinite(seconds) or seconds < 0:
        raise argparse.ArgumentTypeError("must be 0 or more seconds")
    return seconds


def _page(text: str) -> tuple[str, str]:
    name, _, token = text.partition("=")
    try:
        return page_id(name), page_token(token)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"PAGE=TOKEN: {error}") from error


if __name__ == "__main__":
    sys.exit(main())
