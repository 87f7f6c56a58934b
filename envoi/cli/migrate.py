"""The log's schema, brought up to this version."""

from __future__ import annotations

from envoi.cli.output import AsJson, print_json, print_line


def migrate(*, as_json: AsJson = False) -> None:
    """Make the log's tables, or bring them up to date.

    Running it again changes nothing.

    Example: `envoi migrate`
    """
    from envoi.cli import log  # noqa: PLC0415  # loads SQLAlchemy
    from envoi.log import schema  # noqa: PLC0415  # loads Alembic

    with log.opened() as engine:
        before = schema.current_revision(engine)
        schema.upgrade(engine)
        after = schema.current_revision(engine)
    if as_json:
        print_json({"before": before, "revision": after})
    else:
        print_line(f"the log is at revision {after}" + ("" if before == after else f" (was: {before or 'empty'})"))
