"""The runbook's links lead somewhere, and advice names checks, commands and settings that there are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from envoi.cli.app import app
from envoi.settings import Settings, variable

DOCS = Path(__file__).parents[3] / "docs"
TEXT = (DOCS / "operations.md").read_text()
SOURCES = {path.name: path.read_text() for path in (DOCS.parent / "envoi" / "doctor").glob("*.py")}


def anchors(page: str) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", (DOCS / page).read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)]+)\)", TEXT))))
def test_a_link_leads_to_a_page_and_a_section_that_there_are(link: str) -> None:
    page, _, anchor = link.partition("#")
    assert (DOCS / (page or "operations.md")).is_file()
    assert not anchor or anchor in anchors(page or "operations.md")


@pytest.mark.parametrize("name", ["operations.md", *sorted(SOURCES)])
def test_a_setting_that_is_named_is_one(name: str) -> None:
    text = SOURCES.get(name, TEXT)
    known = {variable(field) for field in Settings.model_fields}
    assert set(re.findall(r"ENVOI_[A-Z_]*[A-Z]", text)) <= known


@pytest.mark.parametrize("name", ["operations.md", *sorted(SOURCES)])
def test_a_command_that_is_named_is_one(name: str) -> None:
    text = SOURCES.get(name, TEXT)
    top: Any = typer.main.get_command(app)
    groups: dict[str, set[str]] = {
        word: set(getattr(command, "commands", ())) for word, command in top.commands.items()
    }
    for first, second in re.findall(r"(?:`|    )envoi ([a-z]+)(?: ([a-z]+))?", text):
        assert first in groups, first
        assert not groups[first] or not second or second in groups[first], f"{first} {second}"
