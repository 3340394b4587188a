"""Requests over connections that an engine closes: a kept one is replaced, and a new one is believed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from core.model.client.engine_http import EngineHttp

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@asynccontextmanager
async def engine(answers: Callable[[int, int], bool]) -> AsyncIterator[tuple[str, list[tuple[int, int]]]]:
    """An engine's URL, and what it received: the number of the connection, and of the request on it.

    `answers`: whether it answers that request; it closes the connection instead.
    """
    received = list[tuple[int, int]]()
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        connection, requests = connections, 0
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next((int(line[16:]) for line in head.splitlines() if line.startswith(b"Content-Length: ")), 0)
                await reader.readexactly(length)
                requests += 1
                received.append((connection, requests))
                if not answers(connection, requests):
                    return
                writer.write(ANSWER)
        except asyncio.IncompleteReadError:
            pass  # the client closed
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", received


async def test_a_request_on_a_kept_connection_that_closes_goes_over_a_new_one() -> None:
    """The engine closes an idle connection while the next request is on its way."""
    answers = engine(lambda connection, request: connection > 1 or request == 1)
    async with answers as (url, received), EngineHttp(base_url=url) as http:
        assert (await http.post("/a", json={"n": 1})).text == "ok"
        assert (await http.post("/a", json={"n": 2})).text == "ok"
    assert received == [(1, 1), (1, 2), (2, 1)]


async def test_all_kept_connections_may_have_closed() -> None:
    answers = engine(lambda connection, request: connection > 3 or request == 1)
    async with answers as (url, received), EngineHttp(base_url=url) as http:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(3):
                tasks.create_task(http.get("/a"))
        assert (await http.get("/a")).text == "ok"
    assert received[-1] == (4, 1)


async def test_a_request_that_opened_its_connection_is_sent_once() -> None:
    """The engine may have died of it: it does not get the request again."""
    async with engine(lambda _connection, _request: False) as (url, received), EngineHttp(base_url=url) as http:
        with pytest.raises(httpx.RemoteProtocolError):
            await http.post("/a", json={"n": 1})
    assert received == [(1, 1)]
