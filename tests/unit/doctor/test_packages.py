"""What the doctor knows of packages is what pyproject.toml says."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from envoi.doctor.packages import LEAST, Package, installed
from envoi.version import VERSION

PROJECT = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]


def _read(asked: str) -> tuple[str, str]:
    found = re.fullmatch(r"([a-z-]+)(?:\[\w+\])?>=([\d.]+)", asked)
    assert found is not None, f"{asked} is of a form that the doctor does not know"
    return found[1], found[2]


def test_the_packages_and_their_oldest_versions_are_those_that_installers_are_told() -> None:
    extras = PROJECT["optional-dependencies"]
    asked = [*PROJECT["dependencies"], *extras["cli"], *extras["worker"]]
    told = dict(_read(one) for one in asked if one != "envoi[cli]")
    assert told == LEAST


def test_the_version_is_that_of_the_project() -> None:
    assert PROJECT["version"] == VERSION


def test_what_is_installed_here_fits() -> None:
    found = {one.name: one for one in installed()}
    assert found["celery"].found == version("celery")
    assert [one for one in found.values() if not one.fits] == []


@pytest.mark.parametrize(
    ("least", "found", "fits"),
    [
        ("5.7", "5.7.0", True),
        ("5.7", "5.10.1", True),
        ("5.7", "5.6.2", False),
        ("46", "46.0.3", True),
        ("46.0", "46", True),
        ("46", "45.9.9", False),
        ("2.0.44", "2.1.0rc1", True),
        ("2.0.44", None, False),
    ],
)
def test_versions_are_compared_by_their_numbers(least: str, found: str | None, fits: bool) -> None:
    assert Package("it", least, found).fits is fits
