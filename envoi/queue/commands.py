"""What a worker asks of the queue on its way. A drain sends many in one trip to Redis.

Each command knows its script, its arguments and how to read the answer; the answers are closed types.
"""

from __future__ import annotations

from envoi.queue.begin import Begin, Begun
from envoi.queue.called import Called
from envoi.queue.claim import Claim
from envoi.queue.done import Done
from envoi.queue.glances import Glance, SkipLooks
from envoi.queue.page_commands import HoldPage, PausePage, SlowPage
from envoi.queue.reuse import Reuse

Command = Claim | Begin | Begun | Done | HoldPage | SlowPage | PausePage | Glance | SkipLooks | Reuse | Called
