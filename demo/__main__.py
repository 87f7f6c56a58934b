"""``envoi demo``: start everything, write to some people, show that each message was delivered once and in order."""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from rich.console import Console

from demo.child import ChildFailed
from demo.comparison import Logged, differences
from demo.ledger import Sandbox, SandboxRefused
from demo.log import opened, read_log
from demo.producer import Enqueued, enqueue, messages, person
from demo.progress import SendingProgress
from demo.report import show
from demo.shop import Shop, opened_shop
from demo.stack import Stack
from envoi import Envoi, EnvoiError
from envoi.settings import settings

_POLL = 0.1
_FAULTY = 3  # so many message calls meet an error, enough to see retries
# A spectator need not wait as long as Meta should, nor as long as for a Redis that may lose its last two seconds.
_HASTE = {"ENVOI_ANSWERED_WAIT": "1", "ENVOI_BACKOFF_FIRST": "1", "ENVOI_LOSS_BOUND": "0.2"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demonstration.

    Args:
        arguments: of the command; the process's own if not given.

    Returns:
        Exit status: 0 if all was as promised, 1 if not or something broke, 130 after Ctrl-C.
    """
    options = parser().parse_args(arguments)
    console = Console(highlight=False)
    signal.signal(signal.SIGTERM, _leave)
    try:
        with tempfile.TemporaryDirectory(prefix="envoi-demo-") as folder:
            return _run(console, options, Path(folder))
    except (ChildFailed, EnvoiError, SandboxRefused) as error:
        console.print(f"[bold red]The demonstration broke off:[/bold red] {type(error).__name__}")
        console.print("\n".join([str(error), *getattr(error, "__notes__", [])]), markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("stopped")
        return 130


def _run(console: Console, options: argparse.Namespace, folder: Path) -> int:
    """From starting to verdict, and everything stopped at the end."""
    began = time.monotonic()
    stack = Stack(folder, redis_url=os.environ.get("ENVOI_REDIS_URL"), latency=options.latency, settings=_HASTE)
    with stack:
        console.print("[bold]Starting Envoi on this machine[/bold] (no Facebook account: a sandbox answers)")
        for step in stack.steps(options.workers):
            console.print(f"  {step}")
        sandbox = Sandbox(stack.sandbox_url)
        sandbox.order(_fault(options.people))
        for number in range(options.people):
            name, person_id = person(number)
            sandbox.meet(stack.page, person_id, name)
        console.print(f"[bold]Watch it in a browser:[/bold] {stack.sandbox_url}/sandbox/", soft_wrap=True)
        enqueued = _produce(console, stack, options)
        log = _watch(console, stack, enqueued, options.timeout)
        found = differences(enqueued, log, sandbox.deliveries(stack.page))
        show(console, enqueued, log, found)
        console.print(f"({time.monotonic() - began:.1f} s from start to verdict)")
        if options.keep_open:
            _keep_open(console, stack, sandbox)
    return 1 if found else 0


def _produce(console: Console, stack: Stack, options: argparse.Namespace) -> list[Enqueued]:
    """Hand all messages to Envoi, as a web app would."""
    os.environ.update({name: value for name, value in stack.environment.items() if name.startswith("ENVOI_")})
    settings.cache_clear()
    pairs = messages(stack.page, options.people, options.jobs)
    began = time.perf_counter()
    enqueued = enqueue(Envoi(), pairs, singly=options.people)
    took = (time.perf_counter() - began) * 1000
    console.print(f"[bold]Enqueued[/bold] {len(enqueued)} messages to {options.people} people in {took:.0f} ms")
    return enqueued


def _watch(console: Console, stack: Stack, enqueued: Sequence[Enqueued], timeout: float) -> dict[str, Logged]:
    """Follow the log until every job has its outcome, or the time is up; then the log is what it is."""
    deadline = time.monotonic() + timeout
    with opened(stack.database_url) as engine, SendingProgress(console, len(enqueued)) as shown:
        while True:
            stack.check()
            log = read_log(engine, limit=len(enqueued) + 1)  # one more: a job that nobody enqueued would show
            shown.update(row.state for row in log.values())
            settled = sum(row.state.final for row in log.values())
            if settled >= len(enqueued) or time.monotonic() > deadline:
                return log
            time.sleep(_POLL)


def _fault(people: int) -> dict[str, object]:
    """A few message calls end in a Graph error that says: not sent, try again later."""
    return {
        "match": {"step": "message"},
        "fault": {"kind": "error", "code": 2, "status": 500},
        "every": 5,
        "times": min(_FAULTY, people),
    }


def _keep_open(console: Console, stack: Stack, sandbox: Sandbox) -> None:
    """Print where everything is, answer those who write on the sandbox's page, and wait for Ctrl-C."""
    # For this process alone: the workers go on without a proof of it, as they began.
    app_secret = os.environ["ENVOI_APP_SECRET"] = secrets.token_hex(16)
    settings.cache_clear()
    shop = Shop(Envoi(), stack.page)
    with opened_shop(shop):
        sandbox.subscribe(f"{shop.address}/webhook", app_secret)
        console.print("[bold]Everything stays open until Ctrl-C.[/bold] Write as one of the people, the shop answers:")
        console.print(f"  {stack.sandbox_url}/sandbox/", soft_wrap=True)
        _show_places(console, stack)
        try:
            while True:
                stack.check()
                time.sleep(1)
        except KeyboardInterrupt:
            console.print("stopping")


def _show_places(console: Console, stack: Stack) -> None:
    places = {
        "Redis": stack.redis_url,
        "SQL log": stack.database_url,
        "log files": str(stack.folder),
    }
    for name, place in places.items():
        console.print(f"  {name:<10} {place}", markup=False, soft_wrap=True)
    console.print("To send one more, in another terminal:")
    shell = " ".join(
        f"{name}={stack.environment[name]}" for name in ("ENVOI_REDIS_URL", "ENVOI_REDIS_TAG", "ENVOI_DATABASE_URL")
    )
    command = f"{shell} {sys.executable} -m envoi send {stack.page} 7000000000000001 'One more thing'"
    console.print(f"  {command}", markup=False, soft_wrap=True)


def _leave(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # the signature of a signal handler
    """End by SIGTERM as by an error: the ``with`` blocks stop every child."""
    sys.exit(128 + number)


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    found = argparse.ArgumentParser(
        prog="envoi demo",
        description="Starts everything on this machine, writes to some people, "
        "shows that each message was delivered once and in order.",
        epilog="Example: `envoi demo --people 20 --keep-open`",
    )
    found.add_argument("--people", type=_positive, default=8, help="how many people are written to (8)")
    found.add_argument("--jobs", type=_positive, help="how many messages in all (a whole conversation each)")
    found.add_argument("--workers", type=_positive, default=2, help="worker processes (2)")
    found.add_argument("--latency", type=float, default=0.1, help="seconds the sandbox takes for each call (0.1)")
    found.add_argument("--timeout", type=float, default=50.0, help="seconds until we stop waiting for outcomes (50)")
    found.add_argument(
        "--keep-open", action="store_true", help="leave all running until Ctrl-C, with a shop to write to"
    )
    return found


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


if __name__ == "__main__":
    sys.exit(main())
