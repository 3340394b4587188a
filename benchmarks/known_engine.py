"""An engine of known speed: each answer has its first token after a fixed time, and the next ones at a fixed rate.

Each token tells when it was sent, by the clock that all processes of a machine share.

A question names the length of its answer: "N=150". JSON is answered at once.

    .venv/bin/python -m benchmarks.known_engine PORT [--first-s 0.3] [--tokens-per-s 40]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

from benchmarks.serving.servers import free_port

MODEL = "known"
LENGTH = re.compile(r"N=(\d+)")
DEFAULT_TOKENS = 12
JSON_VALUE = '{"urgent": true}'
# Letters alone: digits could be taken for an identifier of a person.
TO_LETTERS = str.maketrans("0123456789", "ghijklmnop")
TO_DIGITS = str.maketrans("ghijklmnop", "0123456789")


def write_stamp(now_ns: int) -> str:
    return f" {now_ns}".translate(TO_LETTERS)


def read_stamps(text: str) -> list[int]:
    """The times, in nanoseconds, at which the tokens of a text were sent."""
    return [int(word.translate(TO_DIGITS)) for word in text.split() if re.fullmatch("[g-p]+", word)]


class KnownEngine:
    def __init__(self, first_s: float, tokens_per_s: float) -> None:
        self._first_s = first_s
        self._token_s = 1 / tokens_per_s
        self.running = self.most_running = 0

    def app(self) -> web.Application:
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/v1/chat/completions", self.chat)
        app.router.add_get("/v1/models", self.models)
        app.router.add_get("/health", self.health)
        return app

    async def health(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "most_running": self.most_running})

    async def models(self, _request: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": MODEL, "object": "model", "max_model_len": 32768}]})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        try:
            if not body.get("stream"):
                message = {"role": "assistant", "content": JSON_VALUE}
                return web.json_response({"choices": [{"message": message, "finish_reason": "stop", "index": 0}]})
            response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await response.prepare(request)
            await self.write(response, body)
            return response
        finally:
            self.running -= 1

    async def write(self, response: web.StreamResponse, body: dict[str, Any]) -> None:
        if body.get("response_format"):
            await response.write(encode({"content": JSON_VALUE}))
        else:
            lengths = LENGTH.findall(str(body["messages"][-1]["content"]))
            await self.write_tokens(response, int(lengths[-1]) if lengths else DEFAULT_TOKENS)
        await response.write(encode({}, "stop") + b"data: [DONE]\n\n")

    async def write_tokens(self, response: web.StreamResponse, count: int) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + self._first_s
        for _ in range(count):
            await asyncio.sleep(max(0.0, due - loop.time()))
            due += self._token_s
            await response.write(encode({"content": write_stamp(time.monotonic_ns())}))


def encode(delta: dict[str, str], reason: str | None = None) -> bytes:
    chunk = {"id": "1", "object": "chat.completion.chunk", "model": MODEL, "created": 0}
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return b"data: " + json.dumps({**chunk, "choices": [choice]}).encode() + b"\n\n"


@asynccontextmanager
async def running_engine(first_s: float, tokens_per_s: float) -> AsyncIterator[str]:
    """Runs the engine in a process of its own. Yields its URL."""
    port = free_port()
    arguments = (str(port), "--first-s", str(first_s), "--tokens-per-s", str(tokens_per_s))
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "benchmarks.known_engine", *arguments)
    try:
        await until_healthy(f"http://127.0.0.1:{port}/health")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        await process.wait()


async def until_healthy(url: str, within_s: float = 60.0) -> None:
    async with asyncio.timeout(within_s), aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.get(url) as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    parser.add_argument("--first-s", type=float, default=0.3)
    parser.add_argument("--tokens-per-s", type=float, default=40.0)
    options = parser.parse_args()
    engine = KnownEngine(options.first_s, options.tokens_per_s)
    web.run_app(engine.app(), host="127.0.0.1", port=options.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
