"""The Dockerfile makes a small image that runs every part, not as root, and not as process 1."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.unit.compose.compose_file import ROOT, services
from tests.unit.compose.dockerfile import all_of, copied, environment, exec_form, instructions

KNOWN = {"FROM", "RUN", "WORKDIR", "COPY", "ENV", "USER", "STOPSIGNAL", "ENTRYPOINT", "CMD"}
PARTS = ("envoi", "worker", "scheduler", "migrations", "sandbox")
REQUIREMENTS = "requirements/image.txt"
VARIABLES = {"POSTGRES_PASSWORD": "p", "ENVOI_SECRET_KEYS": "k", "FLOWER_PASSWORD": "f"}


def imported(part: str) -> set[str]:
    """The first names of all modules that a part imports."""
    names: set[str] = set()
    # pytest itself loads its plugin, and nobody else does.
    for path in {*(ROOT / part).rglob("*.py")} - {ROOT / "envoi" / "testing" / "plugin.py"}:
        for node in ast.walk(ast.parse(path.read_text(), str(path))):
            if isinstance(node, ast.Import):
                names.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return names


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_instruction_is_known_and_the_first_names_the_base() -> None:
    words = [instruction.word for instruction in instructions()]
    assert set(words) <= KNOWN
    assert words[0] == "FROM"
    assert words.count("FROM") == 1


def test_the_base_has_a_short_name_and_a_python_that_we_support() -> None:
    (base,) = all_of("FROM")
    found = re.fullmatch(r"python:3\.(\d+)-slim", base)
    assert found, base
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    oldest = re.fullmatch(r">=3\.(\d+)", project["requires-python"])
    assert oldest
    assert int(found[1]) >= int(oldest[1])


def test_it_does_not_run_as_root() -> None:
    (user,) = all_of("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    words = [instruction.word for instruction in instructions()]
    assert words.index("USER") > len(words) - 1 - words[::-1].index("RUN")  # what installs needs root


def test_no_part_is_process_1_where_the_dead_man_timer_could_not_end_it() -> None:
    for service in services(VARIABLES).values():
        if service.ours:
            assert service.arguments[:2] == ["tini", "--"], service.name
    assert any(" tini " in f"{line} " for line in all_of("RUN"))


def test_sigterm_reaches_the_program_itself() -> None:
    assert all_of("STOPSIGNAL") == ["SIGTERM"]
    assert exec_form("ENTRYPOINT") == ["tini", "--", "python", "-m", "envoi"]  # no shell, which would keep it


def test_packages_come_with_their_hashes_and_before_the_code() -> None:
    (install,) = [line for line in all_of("RUN") if "pip install" in line]
    assert f"--require-hashes --only-binary=:all: --requirement {REQUIREMENTS}" in install
    entries = re.findall(r"^[a-z].*(?:\n .*)*", (ROOT / REQUIREMENTS).read_text(), re.MULTILINE)
    assert len(entries) > 20
    assert all("==" in entry and "--hash=sha256:" in entry for entry in entries)
    order = [instruction.rest for instruction in instructions()]
    assert order.index(install) < order.index("envoi envoi")


def test_every_package_that_a_part_imports_is_installed() -> None:
    locked = {
        normal(line.partition("==")[0]) for line in (ROOT / REQUIREMENTS).read_text().splitlines() if "==" in line
    }
    distributions = packages_distributions()
    for part in PARTS:
        foreign = imported(part) - set(sys.stdlib_module_names) - set(PARTS)
        missing = {name for name in foreign if not locked & {normal(each) for each in distributions.get(name, [])}}
        assert not missing, f"{part} imports {missing}, which {REQUIREMENTS} does not bring"


def test_what_is_copied_exists_and_is_let_through_by_the_ignore_file() -> None:
    assert copied() == [REQUIREMENTS, *PARTS]
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    assert [line[1:] for line in lines if line.startswith("!")] == copied()
    for source in copied():
        assert (ROOT / source).exists(), source


@pytest.mark.parametrize("module", ["envoi.cli", "worker.app", "scheduler.__main__", "sandbox.__main__"])
def test_a_part_runs_from_what_is_copied_alone(module: str, tmp_path: Path) -> None:
    for part in PARTS:
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    program = (
        f"import sys; sys.path[:] = [{str(tmp_path)!r}, *(p for p in sys.path if p not in ('', {str(ROOT)!r}))]\n"
        f"import {module}\n"
        f"own = {{m.__file__ for n, m in sys.modules.items() if n.partition('.')[0] in {PARTS!r} and m.__file__}}\n"
        "print(*own, sep='\\n')"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    files = ran.stdout.splitlines()
    assert files
    assert all(Path(file).is_relative_to(tmp_path) for file in files), files


def test_the_image_finds_its_parts_and_writes_nothing() -> None:
    assert all_of("WORKDIR") == ["/app"]
    assert environment() == {"PYTHONPATH": "/app", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
