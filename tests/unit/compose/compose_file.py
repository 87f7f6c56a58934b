"""docker-compose.yml as Compose reads it: anchors merged, variables put in, services in the order of starting."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import yaml

from tests.unit.compose import dockerfile

ROOT = Path(__file__).parents[3]
COMPOSE_FILE = ROOT / "docker-compose.yml"

# The forms we use; anything else after a dollar sign is refused rather than guessed at.
_VARIABLE = re.compile(r"\$(?:\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<word>[^}]*))?\}|(?P<dollar>\$)|(?P<other>))")
_UNITS = {"s": 1.0, "m": 60.0}
_SIZES = {"kb": 2**10, "k": 2**10, "mb": 2**20, "m": 2**20, "gb": 2**30, "g": 2**30}


class VariableMissing(Exception):  # noqa: N818  # reads as what happened
    """A variable that must be set is unset or empty; the message is what Compose would show."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service, with its variables put in.

    Attributes:
        name: its name, and its host name for the others.
        spec: what the file says of it.
        arguments: the whole command: its entrypoint, else the image's, and its command.
        environment: what its process finds, without what the image sets.
        needs: names of the services it depends on, each with the condition.
    """

    name: str
    spec: dict[str, Any]
    arguments: list[str]
    environment: dict[str, str]
    needs: dict[str, str]

    @property
    def ours(self) -> bool:
        """Whether it runs the image that is built here."""
        return bool(self.spec["image"] == "envoi")


def read() -> dict[str, Any]:
    """The file as YAML gives it: anchors merged, variables not put in."""
    content: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text())
    return content


def services(variables: Mapping[str, str]) -> dict[str, Service]:
    """Every service, those of all profiles too.

    Args:
        variables: what ``.env`` or the shell sets.

    Raises:
        VariableMissing: one that must be set is not.
    """
    content = put_in(read(), variables)
    return {name: _service(name, spec, variables) for name, spec in content["services"].items()}


def starting_order(known: Mapping[str, Service]) -> list[Service]:
    """The services, each after those that it depends on."""
    order = TopologicalSorter({name: list(service.needs) for name, service in known.items()}).static_order()
    return [known[name] for name in order]


def put_in(node: Any, variables: Mapping[str, str]) -> Any:
    """The same, with ``${NAME}``, ``${NAME:-default}``, ``${NAME:?message}`` and ``$$`` replaced in every string."""
    match node:
        case dict():
            return {name: put_in(value, variables) for name, value in node.items()}
        case list():
            return [put_in(value, variables) for value in node]
        case str():
            return _VARIABLE.sub(lambda found: _value(found, variables), node)
    return node


def seconds(duration: str) -> float:
    """A duration such as ``1m30s``."""
    assert re.fullmatch(r"(\d+[ms])+", duration), duration
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)([ms])", duration))


def size(text: str) -> int:
    """An amount of memory such as ``512m`` or ``1gb``, in bytes."""
    found = re.fullmatch(r"(\d+)([kmg]b?)", text)
    assert found, text
    return int(found[1]) * _SIZES[found[2]]


def _value(found: re.Match[str], variables: Mapping[str, str]) -> str:
    if found["dollar"]:
        return "$"
    name, word = found["name"], found["word"] or ""
    if name is None:
        raise ValueError(f"a form of variable that is not known here: {found.string!r}")
    value = variables.get(name, "")
    if value or found["kind"] is None:
        return value
    if found["kind"] == "?":
        raise VariableMissing(f"required variable {name} is missing a value: {word}")
    return word


def _service(name: str, spec: dict[str, Any], variables: Mapping[str, str]) -> Service:
    image_entrypoint = dockerfile.exec_form("ENTRYPOINT") if spec["image"] == "envoi" else []
    given = spec.get("environment", {})
    # A name without a value is passed on where it is set, and left out where it is not.
    passed_on = {each: variables[each] for each, value in given.items() if value is None and each in variables}
    return Service(
        name=name,
        spec=spec,
        arguments=[*spec.get("entrypoint", image_entrypoint), *spec.get("command", [])],
        environment={each: str(value) for each, value in given.items() if value is not None} | passed_on,
        needs={each: need["condition"] for each, need in spec.get("depends_on", {}).items()},
    )
