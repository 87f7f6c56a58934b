"""Alert rules and the dashboard ask for metrics and labels that there are, and each alert leads to its section."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from envoi.metrics.families import ALL, Family
from tests.needs import program
from tests.unit.doctor.test_runbook import anchors

ROOT = Path(__file__).parents[3]
MONITORING = ROOT / "deploy" / "monitoring"
KNOWN = {family.name: family for family in ALL}
PLAIN = {"up", "process_cpu_seconds_total", "process_resident_memory_bytes"}  # of Prometheus and of its client
OUTER = {"job", "instance", "le"}  # labels that scraping and histograms bring


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((MONITORING / "grafana/dashboards/envoi.json").read_text())["panels"]
    return found


def expressions() -> dict[str, str]:
    asked = {rule["alert"]: rule["expr"] for rule in alerts()}
    for panel in panels():
        asked |= {f"{panel['title']} {target['refId']}": target["expr"] for target in panel.get("targets", [])}
    return asked


def family_of(name: str) -> Family | None:
    base = re.sub("_(bucket|sum|count)$", "", name)
    for one in (name, base):
        if one in KNOWN and (KNOWN[one].kind == "histogram") == (one != name):
            return KNOWN[one]
    return None


def problems(expression: str) -> list[str]:
    """What an expression asks for that there is not: metrics, and labels of them."""
    bare = re.sub(r'"[^"]*"', '""', expression)
    found = []
    names = re.findall(r"\b(?:envoi|process)_\w+|\bup\b", bare)
    families = {name: family_of(name) for name in names if name not in PLAIN}
    found += [f"no metric {name}" for name, family in families.items() if family is None]
    for name, inside in re.findall(r"(\w+)\{([^}]*)\}", bare):
        family = families.get(name)
        labels = set(re.findall(r"(\w+)\s*[=!]", inside))
        found += [f"{name} has no label {one}" for one in labels - OUTER - set(family.labels if family else ())]
    grouped = {
        label for inside in re.findall(r"\bby\s*\(([^)]*)\)", bare) for label in re.split(r"[,\s]+", inside.strip())
    }
    every = {label for family in families.values() if family for label in family.labels}
    return found + [f"nothing here has a label {one}" for one in grouped - every - OUTER]


@pytest.mark.parametrize("name", expressions())
def test_an_expression_asks_for_metrics_and_labels_that_there_are(name: str) -> None:
    assert problems(expressions()[name]) == []
    assert re.search(r"\b(envoi|process)_|\bup\b", expressions()[name])


@pytest.mark.parametrize(
    "expression",
    [
        "max(envoi_bell) > 0",
        'envoi_calls_total{pages="1"}',
        "sum by (shop) (envoi_bells)",
        "envoi_call_seconds > 1",  # a histogram has no sample of its own name
        "envoi_bells_count",
    ],
)
def test_a_mistake_in_an_expression_is_seen(expression: str) -> None:
    assert problems(expression) != []


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_an_alert_has_a_severity_a_summary_and_a_section_of_its_own(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert rule["annotations"]["summary"].endswith(".")
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    assert page == "docs/operations.md"
    assert anchor == rule["alert"].lower()
    assert anchor in anchors("operations.md")


def test_every_section_of_an_alert_belongs_to_a_rule() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    assert re.findall(r"^### (Envoi\w+)$", text, re.MULTILINE) == [rule["alert"] for rule in alerts()]


def test_every_label_of_a_legend_is_kept_by_its_expression() -> None:
    for panel in panels():
        for target in panel.get("targets", []):
            shown = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            kept = {
                one for inside in re.findall(r"by \(([^)]*)\)", target["expr"]) for one in re.split(r"[,\s]+", inside)
            }
            assert shown <= kept | {"job", "instance"} or "by (" not in target["expr"], panel["title"]


def test_panels_stand_beside_each_other_and_have_names_of_their_own() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
    assert len({panel["id"] for panel in panels()}) == len({panel["title"] for panel in panels()}) == len(panels())


def test_every_metric_is_watched_or_at_least_not_misnamed() -> None:
    asked = " ".join(expressions().values())
    unwatched = {family.name for family in ALL if family.name not in asked}
    # Of use in a query by hand, and in no alert and on no dashboard.
    assert unwatched == {
        "envoi_calls_in_flight",
        "envoi_duty_turn_seconds",
        "envoi_bells",
        "envoi_pages",
        "envoi_settling_oldest_seconds",
    }


@pytest.mark.parametrize(
    "arguments",
    [("check", "config", "prometheus.yml"), ("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")],
    ids=" ".join,
)
def test_promtool_finds_nothing_wrong(arguments: tuple[str, ...]) -> None:
    command = [program("promtool", debian="prometheus"), *arguments]
    ran = subprocess.run(command, cwd=MONITORING, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stdout + ran.stderr
