"""Give up what was not sent: delete its text."""

from __future__ import annotations

from envoi.cli.letters import Jobs, LimitOption, PageOption, SinceOption, StateOption, meant, shown
from envoi.cli.output import AsJson


def discard(
    jobs: Jobs = None,
    *,
    state: StateOption = None,
    page: PageOption = None,
    since: SinceOption = None,
    limit: LimitOption = None,
    as_json: AsJson = False,
) -> None:
    """Delete the messages of dead letters from the log.

    Dead letters are jobs that ended failed, expired or unknown. Their rows and calls stay; `envoi jobs` lists them only
    with --discarded, and they cannot be replayed any more.

    Example: `envoi discard --state expired --page 1234567890`
    """
    from envoi.replay import open_dead_letters  # noqa: PLC0415  # loads SQLAlchemy

    chosen = meant(jobs, state, page, since, limit)
    fields = {"job": "job_id", "result": "result", "reason": "reason"}
    with open_dead_letters() as letters:
        total = letters.count(chosen, again=True)
        shown(letters.discard(chosen), "discard", total=total, as_json=as_json, fields=fields)
