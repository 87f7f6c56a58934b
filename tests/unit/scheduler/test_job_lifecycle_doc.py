"""The diagram and the tables of docs/job-lifecycle.md speak of the states that there are."""

from __future__ import annotations

import re
from pathlib import Path

from envoi.states import State

TEXT = (Path(__file__).parents[3] / "docs" / "job-lifecycle.md").read_text()
ARROWS = re.findall(r"^ +(\S+) --> (\S+?)(?::.*)?$", TEXT, re.MULTILINE)


def test_the_diagram_has_every_state_and_no_other() -> None:
    assert {end for arrow in ARROWS for end in arrow} - {"[*]"} == set(State)


def test_the_diagram_ends_in_the_final_states_and_only_a_fact_leads_out_of_one() -> None:
    assert {State(source) for source, target in ARROWS if target == "[*]"} == {state for state in State if state.final}
    onward = {(source, target) for source, target in ARROWS if source != "[*]" and target != "[*]"}
    assert {arrow for arrow in onward if State(arrow[0]).final} == {("unknown", "sent")}


def test_the_tables_have_a_row_for_every_state() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE)) >= set(State)
