"""A broadcast in whole processes: command and scheduler killed in the middle of it, and each person gets it once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, func, select

from demo.stack import ROOT, Stack
from envoi import Envoi
from envoi.client import open_queue
from envoi.log.tables import broadcast_recipients, broadcasts
from tests.acceptance.conftest import MakeStack
from tests.acceptance.ledger import entries
from tests.waiting import wait_until, wait_until_equal

OpenedLog = Callable[[Stack], Engine]

PEOPLE = [str(7_000_000_000_000_001 + number) for number in range(2_300)]
OTHER = "8000000000000001"
SETTINGS = {"ENVOI_PAGE_PACE": "500", "ENVOI_PAGE_CAP": "200", "ENVOI_LEASE": "5", "ENVOI_BROADCAST_AHEAD": "1"}


@contextmanager
def broadcast(stack: Stack, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own, reading recipients from a pipe."""
    command = [sys.executable, "-m", "envoi", "broadcast", stack.page, "--recipients", "-", "--no-typing", *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=stack.environment
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str], lines: list[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("".join(f"{line}\n" for line in lines))
    process.stdin.flush()


def shown(stack: Stack, broadcast_id: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(stack.run("broadcasts", "show", broadcast_id, "--json"))
    return found


def count(engine: Engine, *states: str) -> int:
    wanted = select(func.count()).select_from(broadcast_recipients)
    if states:
        wanted = wanted.where(broadcast_recipients.c.state.in_(states))
    with engine.connect() as connection:
        return connection.execute(wanted).scalar_one()


def test_each_person_is_sent_it_once_although_command_and_schedulers_are_killed(
    make_stack: MakeStack, opened_log: OpenedLog
) -> None:
    stack = make_stack(settings=SETTINGS, latency=0.005)
    stack.start(workers=1)
    engine = opened_log(stack)
    arguments = ("--text", "to all", "--key", "june", "--json")
    with broadcast(stack, *arguments) as process:
        said(process, PEOPLE[:2_100])
        wait_until_equal(lambda: count(engine), 2_000, "people of the first batch")
        process.kill()
    assert entries(stack.sandbox_url, step="message") == []

    with broadcast(stack, *arguments) as process:
        said(process, [*PEOPLE, *PEOPLE[:50]])
        assert process.stdin is not None
        process.stdin.close()
        for left in (1_700, 1_000):
            wait_until(lambda left=left: 0 < count(engine, "pending") <= left, f"all but {left}", 120)  # type: ignore[misc]  # bound
            for child in stack.children():
                if child.name.startswith("scheduler") and child.running:
                    child.kill()
            stack.start_scheduler()
        Envoi(stack.redis_url).send(stack.page, OTHER, "a reply")
        assert process.wait(240) == 0
        assert process.stdout is not None
        report = json.loads(process.stdout.read())

    told = [(str(one["recipient"]["id"]), one["delivered"]) for one in entries(stack.sandbox_url, step="message")]
    got = Counter(who for who, delivered in told if delivered)
    assert got == dict.fromkeys([*PEOPLE, OTHER], 1)
    assert (report["state"], report["total"], report["duplicates"]) == ("finished", len(PEOPLE), 50)
    assert report["counts"]["sent"] == len(PEOPLE)
    assert told[-1][0] != OTHER  # a reply overtakes
    assert shown(stack, report["id"])["counts"] == report["counts"]

    _cancelled_in_the_middle(stack, engine)


def _cancelled_in_the_middle(stack: Stack, engine: Engine) -> None:
    """Paused, resumed and cancelled: what the report says is what the ledger has."""
    before = len(entries(stack.sandbox_url, step="message"))
    open_queue(stack.redis_url).configure(stack.page, pace=15)  # slow enough for commands to come in the middle
    with broadcast(stack, "--text", "once more", "--no-wait", "--json") as process:
        said(process, PEOPLE)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(60) == 0
        assert process.stdout is not None
        broadcast_id = json.loads(process.stdout.read())["id"]
    wait_until(lambda: len(entries(stack.sandbox_url, step="message")) > before, "the first of them")
    assert stack.run("broadcasts", "pause", broadcast_id).strip() == "paused"
    assert stack.run("broadcasts", "resume", broadcast_id).strip() == "running"
    assert stack.run("broadcasts", "cancel", broadcast_id).strip() == "cancelling"

    def ended() -> bool:
        with engine.connect() as connection:
            wanted = select(broadcasts.c.state).where(broadcasts.c.id == broadcast_id)
            return bool(connection.execute(wanted).scalar_one() == "cancelled")

    wait_until(ended, "the end")
    counts = shown(stack, broadcast_id)["counts"]
    assert counts["sent"] + counts["cancelled"] == len(PEOPLE)
    assert counts["sent"] == len(entries(stack.sandbox_url, step="message")) - before
    assert counts["cancelled"] > 0
