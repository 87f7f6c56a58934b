"""``envoi console``: the operators' web pages."""

from __future__ import annotations

import getpass
import ipaddress
import sys
from typing import Annotated

import typer

from envoi.cli.output import print_line, warn
from envoi.settings import settings


def console(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port; 0 chooses a free one.")] = 8765,
    hash_: Annotated[
        bool, typer.Option("--hash", help="Read a password and print its hash, for ENVOI_CONSOLE_PASSWORD.")
    ] = False,
) -> None:
    """Serve the operators' pages, behind a password.

    It does not start without ENVOI_CONSOLE_PASSWORD or ENVOI_CONSOLE_PASSWORD_FILE. Before you let it listen elsewhere
    than on 127.0.0.1, put TLS in front of it and say its address in ENVOI_CONSOLE_URL.

    Example: `envoi console --port 8765`
    """
    if hash_:
        from envoi.console.password import hashed  # noqa: PLC0415  # the extra may be missing

        print_line(hashed(_asked()))
        return
    from envoi.console.server import serve  # noqa: PLC0415  # loads the web server

    found = settings()
    if not _loopback(host) and not (found.console_url or "").startswith("https://"):
        warn(f"the console listens on {host} without TLS: passwords cross the network as they are. See docs/console.md")
    serve(found, host, port)


def _asked() -> str:
    """The password, without an echo on a terminal, or the first line of standard input."""
    if sys.stdin is not None and sys.stdin.isatty():
        return getpass.getpass("password of the console: ")
    return "" if sys.stdin is None else sys.stdin.readline().rstrip("\r\n")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
