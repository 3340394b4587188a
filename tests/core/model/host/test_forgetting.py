"""POST /forget at the model host: every worker drops its states, or the caller is asked to repeat the request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from core.model.host.server import HostService, create_app

BODY = {"prompt_cache_key": ["a", "b"]}


@dataclass
class ForgettingWorker:
    """A worker in some state of its life, behind a real server."""

    state: str = "ready"
    status: int = 200
    keys: list[str] = field(default_factory=list)
    process: Any = None

    async def forget(self, request: web.Request) -> web.Response:
        self.keys += (await request.json())["prompt_cache_key"]
        return web.json_response({}, status=self.status)


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def status_of(stack: AsyncExitStack, workers: Sequence[ForgettingWorker], body: object = BODY) -> int:
    """The status of one request to a host with these workers."""
    for worker in workers:
        app = web.Application()
        app.router.add_post("/forget", worker.forget)
        server = await stack.enter_async_context(TestServer(app))
        session = await stack.enter_async_context(aiohttp.ClientSession(server.make_url("/")))
        worker.process = SimpleNamespace(http=session)
    host = SimpleNamespace(pool=SimpleNamespace(workers=lambda: list(workers)))
    client = await stack.enter_async_context(
        TestClient(TestServer(create_app(HostService(cast(Any, host), cast(Any, None)))))
    )
    return (await client.post("/forget", json=body)).status


async def test_every_worker_forgets(stack: AsyncExitStack) -> None:
    """One that is still loading has nothing to forget."""
    workers = [ForgettingWorker(), ForgettingWorker(), ForgettingWorker(state="loading")]

    assert await status_of(stack, workers) == 200
    assert [worker.keys for worker in workers] == [["a", "b"], ["a", "b"], []]


@pytest.mark.parametrize(
    "workers",
    [
        [],
        [ForgettingWorker(state="loading")],
        [ForgettingWorker(), ForgettingWorker(state="stopping")],
        [ForgettingWorker(), ForgettingWorker(status=500)],
    ],
    ids=["none", "none is ready", "one may be writing to disk", "one failed"],
)
async def test_the_caller_repeats_what_a_worker_could_not_do(
    stack: AsyncExitStack, workers: list[ForgettingWorker]
) -> None:
    """Nobody may believe that a conversation was forgotten if it was not."""
    assert await status_of(stack, workers) == 503


@pytest.mark.parametrize("body", [{}, {"prompt_cache_key": 5}, {"prompt_cache_key": None}, []])
async def test_a_wrong_body_is_refused(stack: AsyncExitStack, body: object) -> None:
    """No worker gets it."""
    worker = ForgettingWorker()

    assert await status_of(stack, [worker], body) == 400
    assert worker.keys == []
