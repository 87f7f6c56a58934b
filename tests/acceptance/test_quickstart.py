"""docs/quickstart.md, word for word: its commands in one shell, its Python by an app.

Only ports and folders are others, and ``make install`` has been run.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.ports import free_port
from demo.stack import ROOT
from tests.waiting import wait_until

PAGE = (ROOT / "docs" / "quickstart.md").read_text()
READY = '"message": "ready"'  # as the page says


def section(number: int) -> str:
    """One numbered part of the page."""
    found = re.search(rf"(?ms)^## {number}\. .*?\n(.*?)(?=^## |\Z)", PAGE)
    assert found
    return found[1]


def commands(text: str) -> list[str]:
    """The indented lines of a part, its Python left out."""
    prose = re.sub(r"(?ms)^```.*?^```$", "", text)
    return [line.strip() for line in re.findall(r"(?m)^ {4,}(\S.*)$", prose)]


def programs(text: str) -> list[str]:
    """The Python blocks of a part."""
    return [textwrap.dedent(block) for block in re.findall(r"(?ms)^```python\n(.*?)^```$", text)]


class Terminal:
    """A shell in a checkout where ``make install`` has been; what it writes goes to a file.

    Args:
        folder: takes what the page puts elsewhere.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = folder / "terminal.log"
        self._ports = {"6379": str(free_port()), "8700": str(free_port())}
        self._marks = 0
        self.environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(folder)}
        with self._log.open("wb") as output:
            self._shell = subprocess.Popen(
                ["bash"],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env=self.environment,
                text=True,
                start_new_session=True,
            )

    @property
    def written(self) -> str:
        """All that was written so far."""
        return self._log.read_text()

    def local(self, text: str) -> str:
        """The same with ports and folders of this test."""
        for port, own in self._ports.items():
            text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{own}")
        text = text.replace("sqlite:///", f"sqlite:///{self._folder}/")
        text = text.replace("$redis ", f"$redis --port {self._ports['6379']} ")
        return text.replace("envoi sandbox ", f"envoi sandbox --port {self._ports['8700']} ")

    def type(self, lines: list[str]) -> None:
        """Run commands, and wait until all have ended that were not put into the background."""
        self._marks += 1
        mark = f"end of commands {self._marks}."
        assert self._shell.stdin
        self._shell.stdin.write("".join(f"{self.local(line)}\n" for line in [*lines, f"echo '{mark}'"]))
        self._shell.stdin.flush()
        wait_until(lambda: mark in self.written, f"{lines} end", 120)

    def kill(self) -> None:
        """End the shell and all that it has started."""
        os.killpg(self._shell.pid, signal.SIGKILL)
        self._shell.communicate()


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path)
    yield made
    made.kill()


def test_the_quickstart_leads_from_nothing_to_delivered_messages(terminal: Terminal) -> None:
    assert commands(section(2))[:2] == ["make install", ". .venv/bin/activate"]
    terminal.type(commands(section(2))[2:])
    terminal.type(commands(section(3)))
    wait_until(lambda: terminal.written.count(READY) >= 2, "scheduler and worker are ready", 60)

    first, *after = commands(section(4))
    assert after[0] == "envoi status JOB"
    terminal.type([first])
    address = re.search(r"export (ENVOI_REDIS_URL)=(\S+)", terminal.local(section(2)))
    assert address
    for program in programs(section(4)):
        ran = subprocess.run(
            [sys.executable, "-c", program],
            env=terminal.environment | {address[1]: address[2]},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout.startswith("sent")
    terminal.type([*after[1:], "envoi jobs --json | tr -d '\\n'; echo"])
    listed = re.search(r"(?m)^\{\s*\"jobs\".*\}$", terminal.written)
    assert listed, terminal.written
    jobs = json.loads(listed[0])["jobs"]
    assert sorted(job["state"] for job in jobs) == ["sent"] * 3
    assert "Traceback" not in terminal.written


def test_the_page_of_the_sandbox_gives_way_to_a_real_one(terminal: Terminal) -> None:
    terminal.type(commands(section(2))[2:])
    terminal.type(commands(section(3)))
    wait_until(lambda: terminal.written.count(READY) >= 2, "scheduler and worker are ready", 60)
    end, *after = commands(section(8))
    assert end.startswith("kill ")
    assert [line for line in after if line.startswith(("unset", "envoi scheduler", "envoi worker"))] == [
        "unset ENVOI_GRAPH_URL",
        "envoi scheduler &",
        "envoi worker &",
    ]
    terminal.type(["scheduler=$(jobs -p %?scheduler) worker=$(jobs -p %?worker)", end])
    terminal.type(["wait $scheduler; echo scheduler=$?", "wait $worker; echo worker=$?"])
    assert "scheduler=0" in terminal.written
    assert "worker=0" in terminal.written
