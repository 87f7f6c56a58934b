"""How a call can end without an answer.

CallError (a requests.ConnectionError)
├── NeverLeftError   nothing of the request was written: surely not sent
│   └── NoRightError it was not even tried: the right to make the call had run out
└── NoAnswerError    something may have been, and no whole answer came

The difference between the two decides between a retry and an unknown.
"""

from __future__ import annotations

import requests


class CallError(requests.ConnectionError):
    """A call without an answer."""


class NeverLeftError(CallError):
    """Nothing of the request was written."""


class NoRightError(NeverLeftError):
    """The right to make the call ran out before its first byte was written."""


class NoAnswerError(CallError):
    """Something of the request may have been written, and no whole answer came.

    Attributes:
        status: the HTTP status, if that much came.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status
