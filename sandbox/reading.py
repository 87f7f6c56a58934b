"""What can be read: the conversations of a page, one of them, its messages, one message (SEND_API 8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from sandbox.errors import Refused, invalid, known
from sandbox.graph_fields import Field, check_names, read_fields
from sandbox.pages import Page, Platform
from sandbox.paging import Paging, paged
from sandbox.shown import (
    MESSAGE_FIELDS,
    OLD_MESSAGE_FIELDS,
    USUAL_MESSAGE,
    created_time,
    party,
    show_message,
)
from sandbox.threads import DETAILED, Message, Thread, Threads

DELETED = 9000001


@dataclass(frozen=True, slots=True)
class View:
    """Who looks, at what, and when.

    Attributes:
        page: whose token it is.
        threads: all there are.
        until: messages later than this, in Unix seconds, do not show yet.
        values: the request's parameters.
        address: of the Graph API as the client knows it, with the version: for the address of a next page.
    """

    page: Page
    threads: Threads
    until: float
    values: Mapping[str, object]
    address: str

    def conversations(self) -> dict[str, object]:
        """``GET /{page}/conversations``: of one person with ``user_id``, else all, those last written in first.

        Raises:
            Refused: 100, a parameter is of no use; 2500, ``fields`` cannot be read.
        """
        platform = str(
            self.values.get("platform", Platform.MESSENGER.value)
        ).lower()  # Meta's SDK: MESSENGER (SEND_API 1)
        if platform not in tuple(Platform):
            raise invalid(f"Param platform must be one of {{{', '.join(Platform)}}}")
        fields = read_fields(self.values.get("fields"), "id")
        check_names(fields, THREAD_FIELDS, "node type (UnifiedThread)")
        found = self._found() if platform == self.page.platform.value else []
        chosen, more = Paging.of(self.values).cut((thread.id, thread) for thread in found)
        rows = [self._thread(thread, fields) for _, thread in chosen]
        return paged(rows, [key for key, _ in chosen], self._next(f"{self.page.id}/conversations") if more else None)

    def thread(self, thread_id: str) -> dict[str, object]:
        """``GET /{thread}``.

        Raises:
            Refused: 100/33, the page has no such thread; 100 and 2500 as above.
        """
        fields = read_fields(self.values.get("fields"), "id")
        check_names(fields, THREAD_FIELDS, "node type (UnifiedThread)")
        return {"id": thread_id, **self._thread(self._known(thread_id), fields)}

    def messages(self, thread_id: str) -> dict[str, object]:
        """``GET /{thread}/messages``.

        Raises:
            Refused: as ``thread``.
        """
        fields = read_fields(self.values.get("fields"), USUAL_MESSAGE)
        return self.listed(self._known(thread_id), fields, self.values)

    def message(self, message_id: str) -> dict[str, object]:
        """``GET /{message}``.

        Raises:
            Refused: 100/33, the page has no such message that shows; 9000001, it is not among the 20 most recent of its
                thread, "the message has been deleted"; 100 and 2500 as above.
        """
        fields = read_fields(self.values.get("fields"), USUAL_MESSAGE)
        check_names(fields, MESSAGE_FIELDS, "node type (Message)")
        thread = self.threads.by_message(self.page.id, message_id)
        visible = thread.visible(self.until) if thread is not None else iter(())
        for rank, (_, message) in enumerate(visible):
            if message.id == message_id and thread is not None:
                if rank >= DETAILED:
                    raise Refused(known(DELETED))
                return {"id": message_id, **show_message(thread, message, tuple(field.name for field in fields))}
        raise not_there("get", message_id)

    def _found(self) -> list[Thread]:
        person = self.values.get("user_id")
        if person is not None:
            thread = self.threads.find(self.page.id, str(person))
            found = [] if thread is None else [thread]
        else:
            found = self.threads.of_page(self.page.id)
        times = {thread.id: self._updated(thread) for thread in found}
        shown = [thread for thread in found if times[thread.id] is not None]
        return sorted(shown, key=lambda thread: times[thread.id] or 0.0, reverse=True)

    def _updated(self, thread: Thread) -> float | None:
        return next((message.created_at for _, message in thread.visible(self.until)), None)

    def _known(self, thread_id: str) -> Thread:
        thread = self.threads.by_id(self.page.id, thread_id)
        if thread is None or self._updated(thread) is None:
            raise not_there("get", thread_id)
        return thread

    def _thread(self, thread: Thread, fields: tuple[Field, ...]) -> dict[str, object]:
        return {asked.name: THREAD_FIELDS[asked.name](self, thread, asked) for asked in fields}

    def listed(self, thread: Thread, fields: tuple[Field, ...], part: Mapping[str, object]) -> dict[str, object]:
        """Messages of a thread, newest first.

        Raises:
            Refused: 100, a field or a cursor is of no use.
        """
        check_names(fields, MESSAGE_FIELDS, "node type (Message)")
        names = tuple(field.name for field in fields)
        rows, more = Paging.of(part).cut(self._rows(thread, names))
        address = self._next(f"{thread.id}/messages", fields=",".join(names), part=part) if more else None
        # Graph gives the id of everything it lists, asked for or not.
        return paged([row for _, row in rows], [key for key, _ in rows], address)

    def _rows(self, thread: Thread, names: tuple[str, ...]) -> Iterator[tuple[str, dict[str, object]]]:
        for rank, (_, message) in enumerate(thread.visible(self.until)):
            yield message.id, {"id": message.id, **show_message(thread, message, _left(names, rank))}

    def _next(self, path: str, fields: str | None = None, part: Mapping[str, object] | None = None) -> str:
        # The token is not in it: a client has to send its own, as for every call.
        kept = {name: str(value) for name, value in self.values.items() if name in ("platform", "user_id", "fields")}
        if fields is not None:
            kept = {"fields": fields}
        limit = (part or self.values).get("limit")
        return f"{self.address}/{path}?{urlencode(kept | ({} if limit is None else {'limit': str(limit)}))}"


def not_there(method: str, node: str) -> Refused:
    """100/33: there is no such object, or not for this token, or not for this method."""
    why = f"Object with ID '{node[:200]}' does not exist, cannot be loaded due to missing permissions, or does not"
    return Refused(known(100, 33, f"Unsupported {method.lower()} request. {why} support this operation."))


def _left(names: tuple[str, ...], rank: int) -> tuple[str, ...]:
    return names if rank < DETAILED else tuple(name for name in names if name in OLD_MESSAGE_FIELDS)


def _messages_of(view: View, thread: Thread, asked: Field) -> object:
    fields = asked.fields or read_fields(None, USUAL_MESSAGE)
    return view.listed(thread, fields, asked.arguments)


def _newest(view: View, thread: Thread) -> Message:
    return next(message for _, message in thread.visible(view.until))


THREAD_FIELDS: Mapping[str, Callable[[View, Thread, Field], object]] = {
    "id": lambda _view, thread, _asked: thread.id,
    "updated_time": lambda view, thread, _asked: created_time(_newest(view, thread).created_at),
    "message_count": lambda view, thread, _asked: sum(1 for _ in thread.visible(view.until)),
    "participants": lambda _view, thread, _asked: {"data": [party(thread.person), party(thread.page)]},
    "messages": _messages_of,
}
