"""Examples in commands' texts: the last paragraph of a docstring, "Example: `envoi …`", maybe with more of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_PARAGRAPH = re.compile(r"\n\n(Examples?: `envoi .*)\Z", re.DOTALL)
_COMMAND = re.compile(r"`(envoi [^`]+)`")


def divided(text: str) -> tuple[str, list[str]]:
    """What a command's text says, and the command lines that it gives as examples."""
    found = _PARAGRAPH.search(text.rstrip())
    if found is None:
        return text, []
    return text[: found.start()], [" ".join(one.split()) for one in _COMMAND.findall(found[1])]


def commands(command: Any, path: str = "envoi") -> Iterator[tuple[str, Any]]:  # noqa: ANN401  # click's, or typer's own
    """Every command below one that has parts, without it, in the order of ``--help``: its words, and what it is."""
    for name, part in getattr(command, "commands", {}).items():
        yield f"{path} {name}", part
        yield from commands(part, f"{path} {name}")


def lay_out(command: Any) -> Any:  # noqa: ANN401  # as above
    """Give every example in the help a line of its own, so that a terminal breaks none of them.

    Returns:
        The command itself.
    """
    for _, part in commands(command):
        said, examples = divided(part.help or "")
        if examples:
            # \b keeps what follows it as it stands.
            part.help = "\n".join([said, "", "\b", "For example:", *(f"  {one}" for one in examples)])
    return command
