"""deploy/systemd as systemd reads it."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "systemd"


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: the values of each directive of each section, in order."""

    sections: dict[str, dict[str, list[str]]]

    def one(self, name: str, section: str = "Service") -> str:
        """The value of a directive that stands there once."""
        [value] = self.sections[section][name]
        return value

    @property
    def command(self) -> list[str]:
        """What it runs."""
        return shlex.split(self.one("ExecStart"))


def unit(name: str) -> Unit:
    """A unit by its file's name."""
    sections: dict[str, dict[str, list[str]]] = {}
    current: dict[str, list[str]] = {}
    for line in (FOLDER / name).read_text().splitlines():
        if line.startswith("["):
            current = sections.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, found, value = line.partition("=")
            assert found, line
            current.setdefault(key, []).append(value)
    return Unit(sections)


def example() -> dict[str, str]:
    """The variables of the example of /etc/envoi/envoi.env, those that are commented out too."""
    text = (FOLDER / "envoi.env.example").read_text()
    return dict(re.findall(r"(?m)^#?(ENVOI_\w+)=(.*)$", text))


NAMES = sorted(file.name for file in FOLDER.glob("*.service"))
