"""Completion in a real bash: its own function is called with the words of a line, as the tab key calls it."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest
from sqlalchemy import insert

from demo.ports import free_port
from envoi.log import tables
from envoi.log.database import open_log
from tests.needs import program

PRESS_TAB = r"""
eval "$(_ENVOI_COMPLETE=source_bash envoi)"
complete -p envoi >&2
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
_envoi_completion envoi
printf '%s\n' "${COMPREPLY[@]}"
"""


class Tab(Protocol):
    """What bash offers for the last word of a line."""

    def __call__(self, *words: str, **environment: str) -> list[str]:
        """Press the tab key."""


@pytest.fixture
def tab(tmp_path: Path, sqlite_url: str) -> Tab:
    """A shell that has the completion set up, in a folder of its own."""
    bash = program("bash", debian="bash")
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def press(*words: str, **environment: str) -> list[str]:
        ended = subprocess.run(
            [bash, "--norc", "-c", PRESS_TAB, "bash", "envoi", *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd=tmp_path,
            env={**os.environ, "PATH": programs, "ENVOI_DATABASE_URL": sqlite_url, **environment},
        )
        assert ended.stderr == "complete -o default -F _envoi_completion envoi\n"
        return ended.stdout.split()

    return press


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("jo",), ["jobs", "job"]),
        (("pages", "p"), ["pause"]),
        (("jobs", "--st"), ["--state"]),
        (("jobs", "--state", "s"), ["scheduled", "sending", "settling", "sent"]),
        (("resolve", "01M86X3YDD2XQ34SMV5Q0EAHZB", ""), ["sent", "not-sent"]),
        (("send", "100", "7", "--lane", ""), ["replies", "bulk"]),
        (("action", "100", "7", "typing_"), ["typing_on", "typing_off"]),
    ],
)
def test_commands_options_and_words_are_completed(words: tuple[str, ...], offered: list[str], tab: Tab) -> None:
    assert tab(*words) == offered


@pytest.mark.parametrize("words", [("pages", "pause"), ("send",), ("replay", "--state", "failed", "--page")])
def test_pages_of_the_log_are_completed(words: tuple[str, ...], tab: Tab, migrated_sqlite_url: str) -> None:
    engine = open_log(migrated_sqlite_url)
    with engine.begin() as connection:
        for page in ("100", "1007", "200"):
            row = {"id": page, "platform": "messenger", "token": b"-", "token_version": 1}
            connection.execute(
                insert(tables.pages).values(**row, created_at=datetime.now(UTC), updated_at=datetime.now(UTC))
            )
    engine.dispose()
    assert sorted(tab(*words, "10")) == ["100", "1007"]


def test_without_a_log_nothing_is_offered_and_nothing_is_made(tab: Tab, tmp_path: Path, sqlite_url: str) -> None:
    assert tab("pages", "pause", "1") == []
    assert tab("pages", "pause", "1", ENVOI_DATABASE_URL=f"postgresql://127.0.0.1:{free_port()}/envoi") == []
    assert tab("pages", "pause", "1", ENVOI_DATABASE_URL="sesame://x", ENVOI_LEASE="sesame") == []
    assert not Path(sqlite_url.removeprefix("sqlite:///")).exists()
    assert list(tmp_path.iterdir()) == []
