"""docs/commands.md, from the commands themselves: ``python -m envoi.cli.commands_page > docs/commands.md``."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any, get_args

import typer

from envoi.cli.app import app
from envoi.cli.applications import APPLICATIONS, part
from envoi.cli.examples import commands, divided
from envoi.cli.output import print_line

_HEAD = """\
# Commands

`envoi COMMAND --help` says the same. This page is printed by `python -m envoi.cli.commands_page`.

## For all commands

* **Exit status**: 0 done; 1 refused or failed, and standard error says why; 2 wrong usage, and nothing was done; 130
  interrupted. Where one command does many things, 1 says that some of them were not done.
* **Output**: what was asked for goes to standard output; progress, warnings and errors go to standard error. `--json`
  prints one JSON document, with times in ISO 8601 in UTC and null for what is unknown. In a pipe, tables are plain text
  and as wide as they need be; at a terminal they fit its width, in colours unless `NO_COLOR` is set.
* **Settings** come from the environment: [settings.md](settings.md).
* **Secrets** (a page's token, an app's secret) are read from standard input, never from an argument.
* **Completion**: `envoi --install-completion` sets up your shell (bash, zsh, fish or PowerShell); `--show-completion`
  prints the script instead.
"""

_Row = tuple[str, str]


def commands_page() -> str:
    """The text of docs/commands.md."""
    top = typer.main.get_command(app)
    found = [_HEAD, _contents(top)]
    for path, command in commands(top):
        if hasattr(command, "commands"):
            found.append(f"## {path}\n\n{command.help}\n")
        else:
            name = path.removeprefix("envoi ")
            section = _application(name) if name in APPLICATIONS else _command(path, command)
            found.append(f"{'##' if path.count(' ') == 1 else '###'} {path}\n\n{section}")
    return "\n".join(found)


def _contents(top: Any) -> str:  # noqa: ANN401  # click's, or typer's own
    rows = []
    for path, command in commands(top):
        if not hasattr(command, "commands"):
            first = divided(command.help)[0].partition("\n\n")[0].replace("\n", " ")
            rows.append(f"| [`{path}`](#{path.replace(' ', '-')}) | {first} |\n")
    return "".join(["| command | what it does |\n|---|---|\n", *rows])


def _command(path: str, command: Any) -> str:  # noqa: ANN401  # click's, or typer's own
    said, examples = divided(command.help)
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option"]
    required = [_with(one.opts[0], _value(one)) for one in options if one.required]
    usage = " ".join([path, "[OPTIONS]", *required, *(_shape(one) for one in arguments)])
    rows = [(f"`{_shape(one)}`", _meaning(one)) for one in arguments]
    rows += [(_spelled(one), _meaning(one)) for one in options]
    return _section(usage, said, examples, rows)


def _application(name: str) -> str:
    parser: argparse.ArgumentParser = part(name, "__main__").parser()
    examples = divided(f"\n\n{parser.epilog}")[1]
    actions = [one for one in parser._actions if one.dest != "help"]  # noqa: SLF001  # it has no other list of them
    rows = [(f"`{_with(one.option_strings[-1], _placeholder(one))}`", _sentence(one.help or "")) for one in actions]
    usage = f"{parser.prog} [OPTIONS]" if rows else parser.prog
    return _section(usage, parser.description or "", examples, rows)


def _section(usage: str, said: str, examples: Iterable[str], rows: list[_Row]) -> str:
    lines = ["```", usage, "```", "", said, "", "```", *examples, "```", ""]
    if rows:
        cells = [(name.replace("|", "\\|"), text.replace("|", "\\|")) for name, text in rows]
        lines += [
            "| argument or option | meaning |",
            "|---|---|",
            *(f"| {name} | {text} |" for name, text in cells),
            "",
        ]
    return "\n".join(lines)


def _shape(argument: Any) -> str:  # noqa: ANN401  # as above
    """An argument as the usage shows it."""
    name = argument.metavar or argument.name.upper()
    return f"{name if argument.required else f'[{name}]'}{'...' if argument.nargs == -1 else ''}"


def _spelled(option: Any) -> str:  # noqa: ANN401  # as above
    names = " / ".join([*option.opts, *option.secondary_opts])
    return f"`{_with(names, '' if option.is_flag else _value(option))}`"


def _value(option: Any) -> str:  # noqa: ANN401  # as above
    kind = option.type_descriptor.annotation
    if option.metavar:
        return str(option.metavar)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "|".join(str(one.value) for one in kind)
    return "|".join(get_args(kind)) or ("N" if kind in {int, float} else str(option.name.upper()))


def _placeholder(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    return "|".join(action.choices) if action.choices else str(action.metavar or action.dest.upper())


def _with(name: str, value: str) -> str:
    return f"{name} {value}" if value else name


def _meaning(parameter: Any) -> str:  # noqa: ANN401  # as above
    return " ".join([parameter.help or "", *_limits(parameter)])


def _limits(parameter: Any) -> Iterator[str]:  # noqa: ANN401  # as above
    low, high = parameter.min, parameter.max
    if low is not None:
        yield f"At least {low}." if high is None else f"From {low} to {high}."
    if parameter.param_type_name == "option" and parameter.default not in (None, False, ()) and not parameter.required:
        default = f"--{parameter.name}" if parameter.is_flag else parameter.default
        yield f"Default: `{default}`."
    if parameter.param_type_name == "option" and parameter.required:
        yield "Required."


def _sentence(text: str) -> str:
    """A text with a capital and a full stop; the applications' own have neither."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', ')')) else '.'}" if text else text


if __name__ == "__main__":
    print_line(commands_page().removesuffix("\n"))
