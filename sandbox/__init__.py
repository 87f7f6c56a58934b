"""The Graph API on localhost: a faithful, adversarial stand-in for Meta with a ledger of its own.

Built from the facts (``reference/SEND_API.md``, cited as "SEND_API n") and not from the wishes of any client: it
imports nothing of the other parts, so that what a client believes and what the sandbox answers can disagree.
"""
