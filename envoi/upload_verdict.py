"""What a failed upload means. Nobody gets to see an upload, so it may always be repeated: there is no Unknown."""

from __future__ import annotations

from typing import Literal

UploadVerdict = Literal["Refused", "Throttled", "TryLater"]

# The classes of SEND_API 4, whose table the worker holds; a test compares the two row by row.
_THROTTLED = frozenset({4, 17, 32, 341, 613, 80001, 80002, 80006})
_LATER = frozenset({-1, 1, 2, 1200, 2018321, 1545012})
_APART: dict[tuple[int, int], UploadVerdict] = {
    (9, 2018352): "Throttled",
    (4, 2018354): "Refused",
    (613, 1893016): "Refused",
    (2, 2018344): "Refused",
    (10, 2018300): "TryLater",
    (100, 2018008): "TryLater",
    (100, 2018294): "TryLater",
}
_KNOWN = range(200, 300), (3, 9, 10, 100, 102, 105, 190, 194, 368, 551, 803, 2022, 10303, 10900, 10903, 10904, 9000001)
_CLIENT_ERROR, _TOO_MANY, _SERVER_ERROR = 400, 429, 500


def verdict_of(code: int | None, subcode: int | None, status: int, *, transient: bool = False) -> UploadVerdict:
    """Whether it is worth trying again.

    Args:
        code: Graph's; None where there is none.
        subcode: Graph's; None where there is none.
        status: HTTP status.
        transient: Graph's own hint.
    """
    known = None if code is None else _of_code(code, subcode)
    if known:
        return known
    if status >= _SERVER_ERROR or transient:
        return "TryLater"
    if status == _TOO_MANY:
        return "Throttled"
    return "Refused" if status >= _CLIENT_ERROR else "TryLater"


def _of_code(code: int, subcode: int | None) -> UploadVerdict | None:
    if subcode is not None and (code, subcode) in _APART:
        return _APART[code, subcode]
    if code in _THROTTLED:
        return "Throttled"
    if code in _LATER:
        return "TryLater"
    return "Refused" if any(code in known for known in _KNOWN) else None
