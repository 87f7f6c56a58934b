"""Answers of the control interface."""

from __future__ import annotations

import json

from starlette.responses import Response


def reply(value: object, status: int = 200) -> Response:
    """A JSON answer, in ASCII: a text may hold half a surrogate pair, which UTF-8 cannot."""
    return Response(json.dumps(value, allow_nan=False), status, media_type="application/json")
