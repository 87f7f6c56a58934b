"""What holds for every command: it is described, has an example, and prints JSON where it shows something."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from envoi.cli import main
from envoi.cli.app import app
from envoi.cli.applications import APPLICATIONS, part
from envoi.cli.commands_page import commands_page
from envoi.cli.examples import commands, divided

ROOT = Path(__file__).parents[3]
COMMANDS = {path: one for path, one in commands(typer.main.get_command(app)) if not hasattr(one, "commands")}
OURS = {path: one for path, one in COMMANDS.items() if path.removeprefix("envoi ") not in APPLICATIONS}
WITHOUT_JSON = {"envoi console", "envoi outbox relay"}  # run until they are stopped


def text_of(path: str) -> str:
    """What a command's help is made of."""
    name = path.removeprefix("envoi ")
    if name not in APPLICATIONS:
        return str(COMMANDS[path].help)
    parser = part(name, "__main__").parser()
    return f"{parser.description}\n\n{parser.epilog}"


def test_the_page_of_commands_is_up_to_date() -> None:
    written = (ROOT / "docs" / "commands.md").read_text()
    assert written == commands_page(), "print it anew: python -m envoi.cli.commands_page > docs/commands.md"


@pytest.mark.parametrize("path", COMMANDS)
def test_a_command_has_an_example_of_itself(path: str) -> None:
    said, examples = divided(text_of(path))
    assert said.strip().endswith((".", ")"))
    assert examples, f"the docstring of `{path}` must end with a paragraph: Example: `{path} …`"
    assert [one for one in examples if shlex.split(one)[: path.count(" ") + 1] != path.split()] == []


@pytest.mark.parametrize("path", OURS)
def test_help_shows_each_example_on_a_line_of_its_own(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*path.split()[1:], "--help"]) == 0
    shown = capsys.readouterr().out
    for example in divided(text_of(path))[1]:
        assert f"\n    {example}\n" in shown


@pytest.mark.parametrize("path", [path for path in OURS if path not in WITHOUT_JSON])
def test_a_command_can_print_json(path: str) -> None:
    assert "--json" in [name for one in OURS[path].params for name in one.opts]


@pytest.mark.parametrize("path", OURS)
def test_every_argument_and_option_is_explained(path: str) -> None:
    unexplained = [one.name for one in OURS[path].params if not re.fullmatch(r"(?s).+[.)]", one.help or "")]
    assert unexplained == []


def test_the_list_of_commands_cuts_no_text_short(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    groups = [path for path, one in commands(typer.main.get_command(app)) if hasattr(one, "commands")]
    for words in ("envoi", *groups):
        assert main([*words.split()[1:], "--help"]) == 0
        listed = capsys.readouterr().out.partition("\nCommands:\n")[2]
        assert listed
        assert [line for line in listed.splitlines() if line.endswith("...")] == []
