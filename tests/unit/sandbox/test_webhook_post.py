from __future__ import annotations

import asyncio

from sandbox.webhook_post import Answered, Caller


def answered_with(answer: bytes) -> Answered:
    """What the sandbox makes of an answer after which the other side hangs up."""

    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for at in range(0, len(answer), 7):
            writer.write(answer[at : at + 7])
            await writer.drain()
        writer.close()

    async def ask() -> Answered:
        async with await asyncio.start_server(answer_once, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            caller = Caller(f"http://127.0.0.1:{port}/webhook")
            try:
                return await caller.call("GET", {}, b"", 60)
            finally:
                caller.close()

    return asyncio.run(ask())


def test_an_answer_of_a_told_length_is_read() -> None:
    assert answered_with(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n4711") == Answered(200, b"4711")


def test_an_answer_that_ends_with_the_connection_is_read() -> None:
    """As a Django without middleware gives it."""
    assert answered_with(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n4711") == Answered(200, b"4711")


def test_a_chunked_answer_is_not_worth_reading() -> None:
    given = b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n4711\r\n0\r\n\r\n"
    assert answered_with(given) == Answered(200, b"")
