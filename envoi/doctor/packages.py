"""The packages that Envoi, its command line and its workers ask for, and what is installed here.

pyproject.toml says the same to installers; the image has no metadata of ours to read it from. A test compares.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import metadata

LEAST = {
    "alembic": "1.17",
    "celery": "5.7",
    "cryptography": "46",
    "flower": "2.0",
    "kombu": "5.7",
    "prometheus-client": "0.23",
    "psycopg": "3.2",
    "pydantic": "2.12",
    "pydantic-settings": "2.12",
    "redis": "6.4",
    "requests": "2.32",
    "rich": "14",
    "sqlalchemy": "2.0.44",
    "structlog": "25",
    "typer": "0.20",
}


@dataclass(frozen=True, slots=True)
class Package:
    """A package that Envoi asks for.

    Attributes:
        least: the oldest version that will do.
        found: the installed version; None: it is not installed.
    """

    name: str
    least: str
    found: str | None

    @property
    def fits(self) -> bool:
        """Whether what is installed will do."""
        return self.found is not None and _parts(self.found) >= _parts(self.least)


def installed() -> list[Package]:
    """All of them, by name."""
    return [Package(name, least, _version(name)) for name, least in LEAST.items()]


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _parts(version: str) -> tuple[int, ...]:
    """The numbers of a version, up to what is not one: a pre-release counts as its release."""
    found = re.match(r"\d+(\.\d+)*", version)
    numbers = [int(part) for part in found[0].split(".")] if found else []
    while numbers and numbers[-1] == 0:  # 46 and 46.0 are the same
        numbers.pop()
    return tuple(numbers)
