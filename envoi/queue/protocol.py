"""Which versions of Envoi may work on one Redis at the same time: a number, and the scripts of those that do.

``PROTOCOL`` counts the changes of what is kept in Redis that an older version could not live with. Two versions whose
numbers differ by at most one run side by side; the queue remembers the highest that has opened it. The texts of a
version's scripts are kept beside it, so that after a restart of Redis whichever scheduler opens the queue brings back
the scripts of the other version too (docs/decisions/0013).
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from envoi.queue.scripts import ALL, PROTOCOL, script
from envoi.queue.server import UnfitRedis
from envoi.version import VERSION

KEPT = 3  # versions whose scripts are kept: the one before, this one, and one that was taken back

# KEYS[1] the protocol's key. ARGV[1] ours. The highest stays. Answers what stood there before, or "".
RAISE = """#!lua flags=allow-oom
local before = redis.call('GET', KEYS[1])
if not before or tonumber(before) < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], ARGV[1])
end
return before or ''
"""


class WrongVersion(UnfitRedis):
    """This version of Envoi is too far from the one that the queue has been opened by."""


def check_protocol(found: str | None) -> None:
    """See whether this version may work on a queue.

    Args:
        found: the protocol that the queue has been opened by; None or empty: nobody has said.

    Raises:
        WrongVersion: it may not, and must touch nothing.
    """
    if not found:
        return
    if int(found) > PROTOCOL + 1:
        raise WrongVersion(
            f"this queue is at protocol {found}, and Envoi {VERSION} knows {PROTOCOL}: it would misread what newer "
            "versions keep in Redis. Upgrade this process"
        )
    if int(found) < PROTOCOL - 1:
        raise WrongVersion(
            f"this queue is at protocol {found}, and Envoi {VERSION} reads {PROTOCOL - 1} and {PROTOCOL} only: "
            "run the versions in between first, one after the other"
        )


@dataclass(frozen=True, slots=True)
class ScriptSet:
    """The scripts of one version as they are kept in Redis.

    Attributes:
        name: a hash over all their texts.
        protocol: of that version.
        opened_at: when a scheduler of that version opened the queue last, seconds since the epoch.
        texts: the open text of each.
    """

    name: str
    protocol: int
    opened_at: float
    texts: Sequence[str]

    def dump(self) -> str:
        """As the field of a hash: the texts have most of their lines in common, and are packed."""
        packed = base64.b64encode(zlib.compress(json.dumps(list(self.texts)).encode())).decode()
        return f"{self.protocol} {self.opened_at:.6f} {packed}"

    @classmethod
    def load(cls, name: str, text: str) -> ScriptSet:
        """The inverse of :meth:`dump`."""
        protocol, opened_at, packed = text.split(" ")
        texts: list[str] = json.loads(zlib.decompress(base64.b64decode(packed)))
        return cls(name, int(protocol), float(opened_at), texts)


def own_scripts(now: float) -> ScriptSet:
    """The scripts of this version; `claim` last, since with it work begins."""
    texts = [script(name).text for name in sorted(ALL, key=lambda name: name == "claim")]
    digest = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
    return ScriptSet(digest, PROTOCOL, now, texts)


def others(own: ScriptSet, kept: Mapping[str, str]) -> tuple[list[ScriptSet], list[str]]:
    """What else is kept, split: the scripts of versions that may work beside us, and the names of those to forget.

    Args:
        own: our scripts.
        kept: every set that is kept, by name.
    """
    found = [ScriptSet.load(name, text) for name, text in kept.items() if name != own.name]
    found.sort(key=lambda one: one.opened_at, reverse=True)
    beside = [one for one in found if abs(one.protocol - own.protocol) <= 1][: KEPT - 1]
    # What a newer version keeps is not ours to forget.
    gone = [one.name for one in found if one not in beside and one.protocol <= own.protocol]
    return beside, gone
