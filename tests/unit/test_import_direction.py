"""Imports point one way, inside each package they make no circle, and ``import envoi`` stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MAY_IMPORT: dict[str, set[str]] = {
    "envoi": set(),
    "worker": {"envoi"},
    "scheduler": {"envoi", "worker"},
    "sandbox": set(),  # built from the facts alone: shared code would share its mistakes
    "demo": {"envoi"},  # starts the others as processes
}

# Not cryptography: redis-py loads it where it is installed.
HEAVY = ("alembic", "celery", "kombu", "requests", "rich", "sqlalchemy", "typer")


def modules(root: Path, package: str) -> dict[str, Path]:
    """Every module of a package by its dotted name."""
    found = {}
    for path in sorted((root / package).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, path: Path) -> set[str]:
    """Dotted names of what a module imports, anywhere in it: also in functions and for types only.

    ``from a import b`` gives ``a.b``: whether ``b`` is a module or a name in ``a`` is for the caller to see.
    """
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            found.update(f"{base}.{alias.name}" for alias in node.names)
    return found


def circle(root: Path, package: str) -> list[str]:
    """The modules of one import circle inside a package; empty if there is none."""
    known = modules(root, package)
    graph = {}
    for name, path in known.items():
        wanted = {target if target in known else target.rpartition(".")[0] for target in imports(name, path)}
        graph[name] = {target for target in wanted if target in known and target != name}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_only_those_below_it(package: str) -> None:
    forbidden = MAY_IMPORT.keys() - MAY_IMPORT[package] - {package} | {"tests", "benchmarks", "migrations"}
    wrong = {
        f"{name} imports {target}"
        for name, path in modules(ROOT, package).items()
        for target in imports(name, path)
        if target.partition(".")[0] in forbidden
    }
    assert not wrong


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_no_modules_import_each_other_in_a_circle(package: str) -> None:
    assert circle(ROOT, package) == []


def test_every_package_of_the_repository_has_its_place_in_the_order() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert packages == set(MAY_IMPORT)


def test_a_circle_is_seen_through_relative_lazy_and_package_imports(tmp_path: Path) -> None:
    (tmp_path / "p" / "sub").mkdir(parents=True)
    (tmp_path / "p" / "__init__.py").write_text("")
    (tmp_path / "p" / "sub" / "__init__.py").write_text("from .leaf import thing\n")
    (tmp_path / "p" / "sub" / "leaf.py").write_text("def thing():\n    from .. import top\n    return top\n")
    (tmp_path / "p" / "top.py").write_text("import p.other\n")
    (tmp_path / "p" / "other.py").write_text("from p.sub import thing\n")
    assert set(circle(tmp_path, "p")) == {"p.sub", "p.sub.leaf", "p.top", "p.other"}
    (tmp_path / "p" / "other.py").write_text("import p.sub2\n")
    assert circle(tmp_path, "p") == []


def test_importing_envoi_loads_nothing_that_only_a_worker_needs() -> None:
    program = "import sys; from envoi import Envoi, Job, InvalidJob; Envoi(); print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr
    loaded = set(ran.stdout.split())
    assert "redis" in loaded
    assert loaded & set(HEAVY) == set()
