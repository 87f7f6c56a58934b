"""Holds, opt-outs and what waits in a conversation, by hand."""

from __future__ import annotations

import pytest

from tests.integration.cli.conftest import Run

pytestmark = pytest.mark.usefixtures("queue_open")


def test_hold_tells_what_waits_and_release_ends_it(run: Run) -> None:
    run("send", "100", "7", "hello")
    assert run("hold", "100", "7").out == "held; 1 waiting\n"
    assert run("release", "100", "7").out == "released\n"
    assert run("release", "100", "7").out == "it was not held\n"
    assert run("release", "100", "7", "--json").json == {"released": False}


def test_a_hold_with_an_end_is_listed_with_it(run: Run) -> None:
    until = "2027-01-31T12:00:00+01:00"
    assert run("hold", "100", "7", "--until", until, "--json").json["held_until"] == "2027-01-31T11:00:00.000000Z"
    run("hold", "100", '{"user_ref": "r"}')
    rows = {next(iter(row["recipient"])): row for row in run("held", "100", "--json").json["held"]}
    assert rows["id"]["until"] == "2027-01-31T11:00:00.000000Z"
    assert rows["user_ref"]["until"] is None
    table = run("held", "100").out
    assert "user_ref r" in table
    assert "2027-01-31 11:00:00Z" in table
    assert len(run("held", "100", "--limit", "1", "--json").json["held"]) == 1
    assert run("held", "200", "--json").json == {"held": []}


def test_conversation_shows_what_is_known(run: Run) -> None:
    job_id = run("send", "100", "7", "hello").out.strip()
    run("hold", "100", "7")
    run("opt-out", "100", "7")
    found = run("conversation", "100", "7", "--json").json
    assert (found["waiting"], found["head"], found["scheduled"]) == (1, job_id, 0)
    assert found["held_since"]
    assert found["held_until"] is None
    assert found["opted_out_since"]
    assert run("held", "100").out.splitlines()[1].endswith("it is released")
    lines = [line.split() for line in run("conversation", "100", "7").out.splitlines()]
    assert ["held_until", "it", "is", "released"] in lines
    assert ["head", job_id] in lines


def test_cancel_all_counts(run: Run) -> None:
    for text in ("one", "two"):
        run("send", "100", "7", text)
    assert run("cancel-all", "100", "7").out == "2 cancelled\n"
    assert run("cancel-all", "100", "7", "--json").json == {"cancelled": 0, "going_on": None, "doubted": 0}


def test_opt_outs_are_noted_listed_and_kept_to(run: Run) -> None:
    assert run("opt-out", "100", "7").out == "opted out\n"
    assert run("opt-out", "100", "7", "--json").json == {"opted_out": True, "changed": False}
    assert [row["recipient"] for row in run("opt-outs", "100", "--json").json["opt_outs"]] == [{"id": "7"}]
    assert run("opt-outs", "100").out.splitlines()[1].split()[0] == "7"
    refused = run("send", "100", "7", "hello", status=1)
    assert "recipient: the person has opted out of this page's messages" in refused.err
    run("send", "100", "7", "your receipt", "--ignore-opt-out")
    assert run("opt-in", "100", "7").out == "opted in\n"
    assert run("opt-in", "100", "7", "--json").json == {"opted_out": False, "changed": False}
    run("send", "100", "7", "hello")


def test_what_can_be_no_conversation_is_told_with_its_field(run: Run) -> None:
    refused = run("hold", "100", "seven", status=1)
    assert refused.err == (
        "envoi: the page, recipient or time is wrong; nothing was done\n"
        "  recipient.id: must be a string of 1 to 64 digits [SEND_API 1]\n"
    )
    assert "PAGE" in run("hold", "a b", "7", status=2).err
    assert "must be ISO 8601" in run("hold", "100", "7", "--until", "soon", status=2).err
    assert "until: must lie in the future" in run("hold", "100", "7", "--until", "2020-01-01T00:00:00Z", status=1).err
