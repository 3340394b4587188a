"""/v1: OpenAI's chat completions and model list, where a model is a personality. Stores nothing."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from aiohttp import web

from core.contract import Done, Json, Text, Usage
from core.errors import CspsError
from web import body, problems
from web.chat_request import Chat, ChatRequest, chat_of
from web.service import SERVICE, Service
from web.streaming import Stream

OWNER = "csps-llm"
SSE = {"Content-Type": "text/event-stream; charset=utf-8"}


async def models(request: web.Request) -> web.Response:
    """GET /v1/models."""
    names = request.app[SERVICE].engine.personalities()
    return web.json_response({"object": "list", "data": [model(name) for name in names]})


async def one_model(request: web.Request) -> web.Response:
    """GET /v1/models/<personality>."""
    return web.json_response(model(request.app[SERVICE].personality(request.match_info["personality"])))


def model(name: str) -> dict[str, Json]:
    # A personality has no date; clients want a number.
    return {"id": name, "object": "model", "created": 0, "owned_by": OWNER}


async def chat_completions(request: web.Request) -> web.StreamResponse:
    """POST /v1/chat/completions."""
    service = request.app[SERVICE]
    chat = chat_of(await body.read_json(request, ChatRequest))
    service.personality(chat.personality)
    completion = Completion(chat.personality)
    async with aclosing(answer(service, chat, service.user_of(request, chat.user))) as pieces:
        if chat.stream:
            return await stream(request, chat, completion, pieces)
        return await whole(completion, pieces)


async def answer(service: Service, chat: Chat, user: str) -> AsyncGenerator[Text | Done, None]:
    """The answer, free or constrained: text, and then how it ended."""
    if chat.constrained:
        toiled = await service.toil(chat.task(user))
        yield Text(json.dumps(toiled.value, ensure_ascii=False, allow_nan=False))
        yield Done("stop", toiled.model, toiled.usage)
        return
    async with aclosing(service.reply(chat.prompt(user))) as events:
        async for event in events:
            if isinstance(event, (Text, Done)):
                yield event


async def whole(completion: Completion, pieces: AsyncGenerator[Text | Done, None]) -> web.Response:
    text = ""
    async for piece in pieces:
        if isinstance(piece, Done):
            done = piece
        else:
            text += piece.text
    return web.json_response(completion.whole(text, done))


async def stream(
    request: web.Request, chat: Chat, completion: Completion, pieces: AsyncGenerator[Text | Done, None]
) -> web.StreamResponse:
    out = Stream(request, SSE)
    try:
        async for piece in pieces:
            if not out.begun:
                await out.write(event(completion.chunk({"role": "assistant", "content": ""})))
            if isinstance(piece, Text):
                await out.write(event(completion.chunk({"content": piece.text})))
                continue
            await out.write(event(completion.chunk({}, piece.reason)))
            if chat.include_usage:
                await out.write(event(completion.usage(piece.usage)))
    except CspsError as error:
        if not out.begun:
            raise
        request.app[SERVICE].metrics.errors.labels(error.code).inc()
        await out.write(event({"error": problems.openai_error(error)}))
    else:
        await out.write(b"data: [DONE]\n\n")
    return out.response


def event(data: Json) -> bytes:
    return f"data: {json.dumps(data)}\n\n".encode()


@dataclass(frozen=True, slots=True)
class Completion:
    """OpenAI's envelope round one answer."""

    model: str
    id: str = field(default_factory=lambda: f"chatcmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))

    def head(self, kind: str) -> dict[str, Json]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}

    def whole(self, text: str, done: Done) -> dict[str, Json]:
        message: Json = {"role": "assistant", "content": text, "refusal": None}
        choice: Json = {"index": 0, "message": message, "logprobs": None, "finish_reason": done.reason}
        return {**self.head("chat.completion"), "choices": [choice], "usage": usage_of(done.usage)}

    def chunk(self, delta: dict[str, Json], reason: str | None = None) -> dict[str, Json]:
        choice: Json = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return {**self.head("chat.completion.chunk"), "choices": [choice]}

    def usage(self, usage: Usage) -> dict[str, Json]:
        return {**self.head("chat.completion.chunk"), "choices": [], "usage": usage_of(usage)}


def usage_of(usage: Usage) -> Json:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
    }
