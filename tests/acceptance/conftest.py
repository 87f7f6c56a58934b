"""Whole Envois of real processes for the acceptance tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine

from demo.stack import Stack
from envoi.log.database import open_log

MakeStack = Callable[..., Stack]


@pytest.fixture
def make_stack(tmp_path: Path, postgres_url: str) -> Iterator[MakeStack]:
    """Makes stacks on an empty PostgreSQL, each with a Redis of its own; all are stopped at the end."""
    with ExitStack() as stacks:

        def make(**options: object) -> Stack:
            folder = tmp_path / f"stack-{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            options.setdefault("database_url", postgres_url)
            return stacks.enter_context(Stack(folder, **options))  # type: ignore[arg-type]  # passed on

        yield make


@pytest.fixture
def opened_log() -> Iterator[Callable[[Stack], Engine]]:
    """Opens the log of a stack."""
    with ExitStack() as engines:

        def opened(stack: Stack) -> Engine:
            engine = open_log(stack.database_url)
            engines.callback(engine.dispose)
            return engine

        yield opened
