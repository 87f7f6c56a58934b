"""What a test needs of the machine, beside what ``make install`` brings.

Where it is missing the test is skipped. In CI it fails: ``.ci/run`` installs all of it, and a gate that has skipped
tests has seen less than it says.
"""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def lacking(what: str) -> NoReturn:
    """Skip the test for what this machine lacks; in CI fail it.

    Args:
        what: the reason; with the Debian package that would help.
    """
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


def program(*names: str, debian: str) -> str:
    """The path of a program.

    Args:
        names: what it may be called; the first that is here is taken.
        debian: the package that has it.
    """
    found = next(filter(None, map(shutil.which, names)), None)
    return found or lacking(f"no {names[0]} in the path (Debian: apt-get install {debian})")
