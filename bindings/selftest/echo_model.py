"""A model that repeats what it is shown: an OpenAI-compatible server on loopback, to try out wording and delivery."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiohttp import web

from bindings.selftest.loopback import serve_on_loopback

NAME = "echo"
WINDOW_TOKENS = 8192
WORD_S = 0.004
SLOW_WORD_S = 0.15
ANSWER_WORDS = 300
HELD_AFTER_WORDS = 8


class EchoModel:
    """`hold` keeps answers unfinished after their first words, so that a step can act while one is written."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        """`names`: the models that personalities request, besides its own name."""
        self.url = ""
        self._names = (NAME, *names)
        self._word_s = WORD_S
        self._may_finish = asyncio.Event()
        self._may_finish.set()

    def hold(self) -> None:
        self._may_finish.clear()

    def release(self, *, slowly: bool = False) -> None:
        """Goes on. `slowly`: the bot may learn of a stop or a deletion only while more words arrive."""
        self._word_s = SLOW_WORD_S if slowly else WORD_S
        self._may_finish.set()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[EchoModel]:
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/health", self._health)
        async with serve_on_loopback(app, cancel_handlers=True) as url:
            self.url = f"{url}/v1"
            yield self

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _models(self, _request: web.Request) -> web.Response:
        models = [{"id": name, "object": "model", "max_model_len": WINDOW_TOKENS} for name in self._names]
        return web.json_response({"object": "list", "data": models})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        words = choose_answer(await request.json()).split(" ")[:ANSWER_WORDS]
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        with suppress(ConnectionError):  # the answer was stopped
            await self._write(response, words)
        return response

    async def _write(self, response: web.StreamResponse, words: Sequence[str]) -> None:
        for number, word in enumerate(words):
            if number == min(HELD_AFTER_WORDS, len(words) - 1):
                await self._may_finish.wait()
            await response.write(encode_chunk(word if number == 0 else f" {word}"))
            await asyncio.sleep(self._word_s)
        await response.write(encode_chunk(None, "stop"))
        await response.write(b"data: [DONE]\n\n")


def choose_answer(body: Any) -> str:
    """Returns the last message of the user, as the model would see it."""
    shown = [each for each in body["messages"] if each.get("role") == "user"]
    content = shown[-1]["content"] if shown else ""
    if isinstance(content, list):
        content = " ".join(str(part.get("text", "")) for part in content)
    return str(content) or "…"


def encode_chunk(word: str | None, reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {} if word is None else {"content": word}, "finish_reason": reason}
    chunk = {"object": "chat.completion.chunk", "model": NAME, "choices": [choice]}
    return f"data: {json.dumps(chunk)}\n\n".encode()
