"""The pages that exist in the sandbox, and whose token is whose."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from enum import StrEnum

from sandbox.errors import GraphError, Refused, known


class Platform(StrEnum):
    """Where a page's conversations are."""

    MESSENGER = "messenger"
    INSTAGRAM = "instagram"


@dataclass(frozen=True, slots=True)
class Page:
    """A page that can send.

    Attributes:
        id: the id in the path, ``/<id>/messages``.
        platform: Messenger, or the Instagram account behind the page.
        app_secret: key of ``appsecret_proof``; with None, no proof is looked at.
        proof_required: refuse a request without a proof, as an app can ask of Meta (SEND_API 6).
        app_id: Meta's number of the page's app; None: the sandbox's own.
        scopes: what its tokens may do; None: all that sending needs.
        expires_at: when its tokens end, in Unix seconds; 0: never.
    """

    id: str
    platform: Platform = Platform.MESSENGER
    app_secret: str | None = field(default=None, repr=False)
    proof_required: bool = True
    app_id: int | None = None
    scopes: tuple[str, ...] | None = None
    expires_at: int = 0

    def check_proof(self, token: str, proof: object) -> None:
        """Refuse a missing or wrong ``appsecret_proof`` (SEND_API 6).

        Type, code and messages as captured in bottender#271 and facebook-python-business-sdk#528: 100, no subcode.

        Raises:
            Refused: the proof is wrong, or missing where it is required.
        """
        if self.app_secret is None:
            return
        if proof is None or proof == "":
            if self.proof_required:
                raise _bad_proof("API calls from the server require an appsecret_proof argument")
            return
        right = hmac.new(self.app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        if not isinstance(proof, str) or not hmac.compare_digest(proof.encode("utf-8", "replace"), right.encode()):
            raise _bad_proof("Invalid appsecret_proof provided in the API argument")


def _bad_proof(message: str) -> Refused:
    return Refused(GraphError(100, message, type="GraphMethodException"))


class Pages:
    """Pages by id, and tokens, live and dead, by their text. The tokens never leave this object."""

    def __init__(self) -> None:
        self._pages: dict[str, Page] = {}
        self._live: dict[str, str] = {}
        self._dead: dict[str, int] = {}

    def all(self) -> list[Page]:
        """Every registered page, by id."""
        return [self._pages[page_id] for page_id in sorted(self._pages)]

    def get(self, page_id: str) -> Page | None:
        """The page of this id, if it is registered."""
        return self._pages.get(page_id)

    def live_tokens(self, page_id: str) -> int:
        """How many tokens of the page are live."""
        return sum(1 for owner in self._live.values() if owner == page_id)

    def register(self, page: Page, token: str) -> None:
        """Add a page, or give one that exists a further live token: Meta lets several live side by side."""
        self._pages[page.id] = page
        self._dead.pop(token, None)
        self._live[token] = page.id

    def remove(self, page_id: str) -> None:
        """Forget a page and all its tokens."""
        self._pages.pop(page_id, None)
        self._live = {token: owner for token, owner in self._live.items() if owner != page_id}

    def kill_tokens(self, page_id: str, subcode: int) -> int:
        """Let every live token of a page die: from now on they answer 190 with this subcode.

        Returns:
            How many tokens died.
        """
        dying = [token for token, owner in self._live.items() if owner == page_id]
        for token in dying:
            del self._live[token]
            self._dead[token] = subcode
        return len(dying)

    def owner(self, token: str | None) -> Page:
        """The page a token belongs to.

        Raises:
            Refused: 104 without a token (captured: gs-consuming-rest#10), 190 for an unknown or dead one (SEND_API 4).
        """
        if not token:
            raise Refused(known(104))
        page_id = self._live.get(token)
        if page_id is None:
            raise Refused(known(190, self._dead.get(token)))
        return self._pages[page_id]
