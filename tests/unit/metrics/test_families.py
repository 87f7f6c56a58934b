"""The table of metrics is complete, well named and documented."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from envoi.cli.app import app
from envoi.cli.metrics import metrics_tables
from envoi.metrics.families import ALL, Family

DOCS = Path(__file__).parents[3] / "docs"


def test_the_documented_metrics_are_those_of_this_version() -> None:
    text = (DOCS / "metrics.md").read_text()
    assert text.endswith(metrics_tables()), (
        "print the tables anew: envoi metrics --markdown, at the end of docs/metrics.md"
    )


def test_the_command_lists_them() -> None:
    shown = CliRunner().invoke(app, ["metrics", "--json"])
    assert [one["name"] for one in json.loads(shown.stdout)["metrics"]] == [family.name for family in ALL]
    assert CliRunner().invoke(app, ["metrics", "--markdown"]).stdout == metrics_tables()


@pytest.mark.parametrize("family", ALL, ids=lambda family: family.name)
def test_a_metric_is_named_as_prometheus_wants_it(family: Family) -> None:
    assert re.fullmatch(r"envoi_[a-z]+(_[a-z]+)*", family.name)
    assert family.name.endswith("_total") == (family.kind == "counter")
    assert not re.search(r"_(ms|milliseconds|count|sum|bucket)$", family.name)
    assert family.meaning.endswith(".")
    assert "|" not in family.meaning


def test_names_are_their_own() -> None:
    assert len({family.name for family in ALL}) == len(ALL)


def test_no_label_is_of_open_range() -> None:
    labels = {label for family in ALL for label in family.labels}
    known = {"part", "version", "page", "step", "verdict", "code", "lane", "came_to", "duty", "state", "of", "stream"}
    assert labels == known | {"page_state", "reason"}


def test_what_the_page_names_is_a_metric() -> None:
    known = {family.name for family in ALL}
    named = set(re.findall(r"`(envoi_\w+)", (DOCS / "metrics.md").read_text() + (DOCS / "operations.md").read_text()))
    assert named <= known
