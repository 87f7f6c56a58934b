"""Opt-outs: who wants no messages of a page. They ask Redis only."""

from __future__ import annotations

from dataclasses import asdict
from itertools import islice

from envoi.cli.given import recipient_of
from envoi.cli.holds import Limit, RecipientArgument, named
from envoi.cli.identifiers import PageId
from envoi.cli.output import AsJson, print_json, print_line, print_table
from envoi.client import Envoi


def opt_out(page: PageId, recipient: RecipientArgument, *, as_json: AsJson = False) -> None:
    """Note that a person wants no messages of a page.

    None is enqueued then, and none that waits is sent.

    Example: `envoi opt-out 1234567890 7000000000000001`
    """
    changed = Envoi().opt_out(page, recipient_of(recipient))
    if as_json:
        print_json({"opted_out": True, "changed": changed})
    else:
        print_line("opted out" if changed else "had opted out before")


def opt_in(page: PageId, recipient: RecipientArgument, *, as_json: AsJson = False) -> None:
    """Note that a person wants messages again. What has failed meanwhile is not sent: see `envoi replay`.

    Example: `envoi opt-in 1234567890 7000000000000001`
    """
    changed = Envoi().opt_in(page, recipient_of(recipient))
    if as_json:
        print_json({"opted_out": False, "changed": changed})
    else:
        print_line("opted in" if changed else "had not opted out")


def opt_outs(page: PageId, *, limit: Limit = 1000, as_json: AsJson = False) -> None:
    """List who has opted out of a page's messages, in no order.

    Example: `envoi opt-outs 1234567890 --json`
    """
    found = list(islice(Envoi().opt_outs(page), limit))
    if as_json:
        print_json({"opt_outs": [asdict(one) for one in found]})
    else:
        print_table(("recipient", "since"), [(named(one.recipient), one.since) for one in found])
