"""Whole Envois of real processes for the acceptance tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine

from demo.stack import Stack
from envoi.log.database import open_log
from tests.acceptance.quick_stack import QuickStack

MakeStack = Callable[..., QuickStack]


@pytest.fixture
def make_stack(tmp_path: Path, migrated_postgres_url: str) -> Iterator[MakeStack]:
    """Makes stacks on a migrated PostgreSQL, each with a Redis of its own; all are killed at the end."""
    with ExitStack() as stacks:

        def make(**options: object) -> QuickStack:
            folder = tmp_path / f"stack-{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            options.setdefault("database_url", migrated_postgres_url)
            return stacks.enter_context(QuickStack(folder, **options))  # type: ignore[arg-type]  # passed on

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
