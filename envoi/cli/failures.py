"""Failures as an operator reads them: one line, no traceback, nothing secret."""

from __future__ import annotations

from redis.exceptions import RedisError

from envoi.errors import (
    BadSettings,
    EnvoiError,
    InvalidBroadcast,
    InvalidConversation,
    InvalidJob,
    InvalidUpload,
    WithProblems,
)

_WHAT: tuple[tuple[type[EnvoiError], str], ...] = (  # above the list of what is wrong
    (InvalidUpload, "the file was refused; nothing was sent"),
    (InvalidBroadcast, "the broadcast was refused; nobody is sent anything"),
    (InvalidJob, "the job was refused; nothing was enqueued"),
    (InvalidConversation, "the page, recipient or time is wrong; nothing was done"),
    (BadSettings, "these settings are malformed"),
    (WithProblems, "what was given is wrong; nothing was done"),
)
INTERRUPTED = 130  # exit status: the operator has seen enough
_CONSOLE = {"jinja2", "starlette", "uvicorn"}
_OURS = {"envoi", "worker", "scheduler", "sandbox", "demo"}


class NotHere(EnvoiError):  # noqa: N818  # says what is wrong, as all errors of Envoi do
    """An application that is not in the wheel, or something that is not in the log."""


def told(error: EnvoiError) -> list[str]:
    """The lines for standard error."""
    if isinstance(error, WithProblems):
        what = next(what for kind, what in _WHAT if isinstance(error, kind))
        if isinstance(error, InvalidBroadcast) and error.bad:
            what = what.replace(";", f" (wrong recipients: {error.bad});")
        return [f"envoi: {what}", *(f"  {plain(str(problem))}" for problem in error.problems)]
    return [f"envoi: {plain(str(error))}"]


def shown(error: EnvoiError | ImportError | RedisError) -> list[str] | None:
    """The lines for standard error.

    Returns:
        None for an import that fails by our own mistake: that one needs its traceback.
    """
    if isinstance(error, EnvoiError):
        return told(error)
    if isinstance(error, RedisError):  # it answers, and not as we asked: no right to, read only, or no Redis at all
        return [f"envoi: Redis did not do it ({type(error).__name__}): {plain(str(error))}"]
    package = (error.name or "").partition(".")[0]
    if package in _OURS:
        return None
    if package:
        extra = "console" if package in _CONSOLE else "worker"
        return [f"envoi: this command needs {package}: pip install 'envoi[{extra}]'"]
    return [f"envoi: {plain(str(error))}"] if "pip install" in str(error) else None


def plain(text: str) -> str:
    """Text from elsewhere made fit for a terminal: one line, and no character that steers it."""
    line = " ".join(text.split())
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in line)
