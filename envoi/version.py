"""The version of Envoi. Here, because in the image and in a checkout no installed package says it."""

from __future__ import annotations

VERSION = "0.1.0.dev0"  # as in pyproject.toml; a test compares
