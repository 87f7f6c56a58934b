"""What a Graph error is made of, and which HTTP status it comes with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.known_errors import DELIVERED, GRAPH_METHOD, KNOWN, TRANSIENT, WITHOUT_CODE

BAD_REQUEST = 400

# SEND_API 4 (live logs) and 11.4. A code with a subcode goes before the bare code. 10/2534022 was captured with 403 and
# 10/2018278 with 400; SEND_API 12 says: ignore the status. Tests flip any of these by the switch `statuses`.
STATUSES: Mapping[tuple[int, int | None], int] = {
    (1, None): 500,
    (2, None): 500,
    (1200, None): 500,
    (4, None): 403,
    (10, 2534022): 403,
    (803, None): 404,
    **{(code, None): 403 for code in range(200, 300)},
}


@dataclass(frozen=True, slots=True)
class GraphError:
    """A refusal or a failure in Graph's own terms.

    Attributes:
        code: Graph's error code.
        message: text for people; never to be matched on.
        subcode: Graph's ``error_subcode``, where it gives one.
        type: ``OAuthException`` nearly always (SEND_API 4).
        is_transient: Graph's hint; left out of the body where None.
        http_status: a status that goes before the table's, for errors to order.
    """

    code: int
    message: str
    subcode: int | None = None
    type: str = "OAuthException"
    is_transient: bool | None = None
    http_status: int | None = None

    def body(self, fbtrace_id: str) -> dict[str, object]:
        """The error as Graph's answer body (SEND_API 4)."""
        error: dict[str, object] = {"message": self.message, "type": self.type}
        if self.is_transient is not None:
            error["is_transient"] = self.is_transient
        error["code"] = self.code
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        error["fbtrace_id"] = fbtrace_id
        return {"error": error}

    def status(self, overrides: Mapping[str, int]) -> int:
        """The HTTP status of this error.

        Args:
            overrides: statuses by ``"code"`` or ``"code/subcode"``, set by a test.
        """
        if self.http_status is not None:
            return self.http_status
        for key in (f"{self.code}/{self.subcode}", str(self.code)):
            if key in overrides:
                return overrides[key]
        by_code = STATUSES.get((self.code, None), BAD_REQUEST)
        return STATUSES.get((self.code, self.subcode), by_code)


class Refused(Exception):  # noqa: N818  # reads as what happened to the request
    """The request is refused with a Graph error; nothing was delivered."""

    def __init__(self, error: GraphError) -> None:
        super().__init__(error.message)
        self.error = error


def known(code: int, subcode: int | None = None, message: str | None = None) -> GraphError:
    """The error of this code and subcode, in the words of the table, or in others exactly as given.

    An unlisted pair is answered too: a test may order what Meta has not thought of yet.
    """
    if message is None:
        text = KNOWN.get((code, subcode)) or KNOWN.get((code, None)) or "An error that Meta has not listed"
        message = text if {(code, None), (code, subcode)} & WITHOUT_CODE else f"(#{code}) {text}"
    kind = "GraphMethodException" if (code, subcode) in GRAPH_METHOD else "OAuthException"
    return GraphError(code, message, subcode, kind, is_transient=True if (code, subcode) in TRANSIENT else None)


def invalid(message: str, subcode: int | None = None) -> Refused:
    """A refusal with code 100, the code of every malformed request (SEND_API 2), in words of its own."""
    return Refused(known(100, subcode, f"(#100) {message}"))


def delivered_all_the_same(code: int, subcode: int | None) -> bool:
    """Whether Meta documents this error as following a message that was sent."""
    return (code, subcode) in DELIVERED
