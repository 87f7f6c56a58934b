"""What became of a broadcast's people, as commands print it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from envoi.cli.output import print_fields, print_json, print_line, print_table

if TYPE_CHECKING:
    from envoi.broadcast.report import Report  # loads SQLAlchemy
    from envoi.broadcast.store import Broadcast  # as above


def show_report(broadcast: Broadcast, report: Report, *, as_json: bool) -> None:
    """Where a broadcast is."""
    counts = {"waiting": report.waiting, "enqueued": report.enqueued, **report.outcomes}
    if as_json:
        reasons = [asdict(reason) for reason in report.reasons]
        print_json({**asdict(broadcast), "total": report.total, "counts": counts, "reasons": reasons})
        return
    print_fields({**asdict(broadcast), **{name: number for name, number in counts.items() if number}})
    if report.reasons:
        print_line("")
        rows = [(one.outcome, one.count, _why(one.code, one.subcode, one.cause), one.example) for one in report.reasons]
        print_table(("outcome", "people", "why", "for instance"), rows)


def _why(code: int | None, subcode: int | None, cause: str | None) -> str | None:
    if code is None:
        return cause
    return str(code) if subcode is None else f"{code}/{subcode}"
