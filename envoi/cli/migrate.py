"""The log's schema, brought up to this version."""

from __future__ import annotations

from envoi.cli.output import AsJson, print_json, print_line
from envoi.settings import settings


def migrate(*, as_json: AsJson = False) -> None:
    """Make the log's tables, or bring them up to date.

    Running it again changes nothing.

    Example: `envoi migrate`
    """
    from envoi.log import schema  # noqa: PLC0415  # loads SQLAlchemy and Alembic

    url = settings().database_url
    before = schema.current_revision(url)
    schema.upgrade(url)
    after = schema.current_revision(url)
    if as_json:
        print_json({"before": before, "revision": after})
    else:
        print_line(f"the log is at revision {after}" + ("" if before == after else f" (was: {before or 'empty'})"))
