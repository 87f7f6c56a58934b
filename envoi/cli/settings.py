"""The settings: what they are in this environment, and the table in docs/settings.md."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

import typer
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from envoi.cli.output import AsJson, print_json, print_line, print_table
from envoi.settings import Settings, settings, variable

_HEAD = """\
# Settings

Read from the environment once, when a process starts. An empty variable is as good as none. Times are seconds. This
page is printed by `envoi settings --markdown`; `envoi settings` shows what a process started here would find.

| variable | default | meaning |
|---|---|---|
"""


def show_settings(
    *,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print docs/settings.md.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show all settings as this environment gives them.

    Secrets are not shown, only whether they are set.

    Example: `envoi settings --json`
    """
    if markdown:
        print_line(settings_page().removesuffix("\n"))
        return
    found = settings()
    values = {variable(name): _shown(getattr(found, name)) for name in Settings.model_fields}
    if as_json:
        print_json({"settings": values})
    else:
        print_table(("setting", "value"), list(values.items()))


def settings_page() -> str:
    """The text of docs/settings.md."""
    rows = []
    for name, field in Settings.model_fields.items():
        if field.default is PydanticUndefined or not field.description:
            raise TypeError(f"setting {name} needs a default and a description")
        default = _default(field.default)
        rows.append(f"| `{variable(name)}` | {f'`{default}`' if default else 'none'} | {field.description} |\n")
    return _HEAD + "".join(rows)


def _default(value: object) -> str:
    if value is None or value == ():
        return ""
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _shown(value: object) -> object:
    """A value without what is secret in it."""
    if isinstance(value, SecretStr):
        return "set (secret)"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"{len(value)} set (secret)" if value else None
    if isinstance(value, str):
        # Up to the last @, and any query: an address may be sloppy where a password is concerned.
        return re.sub(r"(password=)[^&]*", r"\1***", re.sub(r"(//[^:/@]*):.*@", r"\1:***@", value))
    return value
