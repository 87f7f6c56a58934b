"""One request to the console, as its pages see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.requests import Request

from envoi.console.sessions import Session
from envoi.errors import EnvoiError

LARGEST = 65_536  # bytes of a form
_FIELDS = 1000


class BadForm(EnvoiError):  # noqa: N818  # says what is wrong, as all errors of Envoi do
    """A form that this console's pages do not send."""


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form, in their order."""

    pairs: tuple[tuple[str, str], ...] = ()

    def get(self, name: str, default: str = "") -> str:
        """The last value of a field."""
        return next((value for found, value in reversed(self.pairs) if found == name), default)

    def all(self, name: str) -> list[str]:
        """Every value of a field."""
        return [value for found, value in self.pairs if found == name]


@dataclass(frozen=True, slots=True)
class Ask:
    """A request.

    Attributes:
        session: whose; None: nobody's who has said the password.
        path: as it was asked for, with its query.
        query: what is in its address.
        named: what is in its path.
        host: who asks, by address.
    """

    session: Session | None
    path: str
    query: Form = Form()
    named: dict[str, str] = field(default_factory=dict)
    form: Form = Form()
    host: str = ""

    @property
    def back(self) -> str:
        """Where the form came from: a path of this console."""
        return local_path(self.form.get("back"))


def local_path(text: str) -> str:
    """A path of this console; what is none is its first page."""
    fine = text.startswith("/") and not text.startswith("//") and text.isprintable() and "\\" not in text
    return text if fine else "/"


async def form_of(request: Request) -> Form:
    """The form of a request.

    Raises:
        BadForm: it is none, or too large.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind != "application/x-www-form-urlencoded":
        raise BadForm("only forms are taken here")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            raise BadForm(f"the form has more than {LARGEST} bytes")
    return read_pairs(bytes(body).decode("utf-8", "replace"))


def read_pairs(text: str) -> Form:
    """A form or query.

    Raises:
        BadForm: it has too many fields, or what no text of a database can hold.
    """
    try:
        found = Form(tuple(parse_qsl(text, keep_blank_values=True, max_num_fields=_FIELDS)))
    except ValueError:
        raise BadForm(f"more than {_FIELDS} fields") from None
    if any("\0" in part for pair in found.pairs for part in pair):
        raise BadForm("a field holds a NUL")
    return found
