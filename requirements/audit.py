"""Asks the OSV database whether a package that we lock has a known vulnerability: ``make audit``.

It ends with 0 where none is known, with 1 where one is, and with 3 where the database could not be asked: then nothing
was audited, and it says so. What does not concern us is named in ``audit-accepted.txt``, with the reason.
Python's own library alone: it runs before anything is installed.
"""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

DATABASE = "https://api.osv.dev"
FOLDER = Path(__file__).resolve().parent
LOCKS = ("bench-arq.txt", "bench-gevent.txt", "dev.txt", "image.txt", "worker.txt", "uv.txt")
KNOWN = ("requests", "2.19.0")  # has CVE-2018-18074: a database that does not say so knows nothing
CLEAN, VULNERABLE, NOT_AUDITED = 0, 1, 3
_SECONDS = 20.0
_PIN = re.compile(r"(?m)^([A-Za-z0-9][\w.\-]*)(?:\[[^\]]*\])?==([^\s;\\]+)")


class Unreachable(Exception):  # noqa: N818  # reads as what happened
    """The database did not answer, or not as itself."""


def locked(texts: Sequence[str]) -> list[tuple[str, str]]:
    """Every name and version that lock files pin, once each."""
    return sorted({(name.lower(), version) for text in texts for name, version in _PIN.findall(text)})


def accepted(text: str) -> dict[str, str]:
    """Vulnerabilities that do not concern us, by id, each with its reason.

    Raises:
        ValueError: one has no reason.
    """
    found = {}
    for line in text.splitlines():
        name, _, reason = line.partition(" ")
        if line and not line.startswith("#"):
            if not reason.strip():
                raise ValueError(f"{name}: say why it does not concern us")
            found[name] = reason.strip()
    return found


def ask(database: str, packages: Sequence[tuple[str, str]]) -> list[list[str]]:
    """The ids of what is known of each package, in their order.

    Raises:
        Unreachable: there was no answer, or one that a database would not give.
    """
    queries = [{"package": {"name": name, "ecosystem": "PyPI"}, "version": version} for name, version in packages]
    request = urllib.request.Request(  # noqa: S310  # https, or a test's own server
        f"{database}/v1/querybatch", json.dumps({"queries": queries}).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310  # as above
            results: list[dict[str, Any]] = json.load(answer)["results"]
        found = [[str(one["id"]) for one in result.get("vulns") or []] for result in results]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreachable(f"{type(error).__name__}: {error}") from None
    if len(found) != len(packages):
        raise Unreachable(f"{len(found)} answers to {len(packages)} questions")
    return found


def ask_one_that_knows(database: str, packages: Sequence[tuple[str, str]]) -> list[list[str]]:
    """The same, of a database that has shown that it knows anything.

    Raises:
        Unreachable: it has not.
    """
    [probe, *found] = ask(database, [KNOWN, *packages])
    if not probe:
        raise Unreachable("it knows nothing of a version that is known to be vulnerable")
    return found


def audit(database: str, packages: Sequence[tuple[str, str]], known: dict[str, str]) -> int:
    """Print what is known of the packages. Returns the exit status."""
    try:
        found = ask_one_that_knows(database, packages)
    except Unreachable as error:
        print(f"audit: NOT AUDITED, {database} cannot be asked from here ({error})")
        return NOT_AUDITED
    bad = [(name, one) for name, ids in zip(packages, found, strict=True) for one in ids if one not in known]
    for (name, version), one in bad:
        print(f"audit: {name} {version} has {one}")
    seen = {one for ids in found for one in ids}
    for one in known.keys() - seen:
        print(f"audit: {one} is accepted, and nothing has it any more: take it out of audit-accepted.txt")
    if not bad:
        print(f"audit: {len(packages)} locked packages, none with a known vulnerability that concerns us")
    return VULNERABLE if bad else CLEAN


def main() -> int:
    """Audit our lock files."""
    packages = locked([(FOLDER / name).read_text() for name in LOCKS])
    known = accepted((FOLDER / "audit-accepted.txt").read_text())
    return audit(os.environ.get("ENVOI_AUDIT_DATABASE", DATABASE), packages, known)


if __name__ == "__main__":
    sys.exit(main())
