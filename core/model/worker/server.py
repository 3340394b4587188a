"""Serves one model over HTTP with OpenAI's protocol. Knows requests and replies; no tokens and no llama.cpp.

Only the host reaches it, by a Unix socket. The host has checked the caller's key and the model's name.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import web

from core.errors import ModelUnavailable, Stopping
from core.model.http_service import BODY_LIMIT_BYTES, errors_as_json, json_body, send
from core.model.worker.loaded_model import LoadedModel, ReplyHandle
from core.model.worker.sequence import FailedOutput, FinishedOutput, QueuedOutput, SequenceOutput, TextOutput
from core.openai import sse
from core.openai.engine_requests import (
    EmbeddingsRequest,
    EngineChatRequest,
    ForgetRequest,
    TokenizeRequest,
    parse,
    plain_message,
)
from core.openai.response_objects import (
    Completion,
    choice_object,
    embeddings_object,
    error_body,
)
from core.runtime.http_server import metrics_response

KEEPALIVE_S = 10.0  # a silent stream sends a comment at this interval, so that the client sees that we live


@dataclass
class ModelService:
    """The state that the handlers share. `model` is None until it is loaded."""

    model: LoadedModel | None = None
    stopping: bool = False

    def loaded(self) -> LoadedModel:
        """Returns the model. Raises Stopping, ModelUnavailable."""
        if self.stopping:
            raise Stopping("the model process is stopping", retry_after_s=5)
        if self.model is None:
            raise ModelUnavailable("the model is loading", retry_after_s=2)
        return self.model


SERVICE = web.AppKey("service", ModelService)


def create_app(service: ModelService) -> web.Application:
    app = web.Application(middlewares=[errors_as_json], client_max_size=BODY_LIMIT_BYTES)
    app[SERVICE] = service
    app.router.add_post("/v1/chat/completions", chat_completions)
    app.router.add_post("/v1/embeddings", embeddings)
    app.router.add_post("/tokenize", tokenize)
    app.router.add_post("/forget", forget)
    app.router.add_get("/health", health)
    app.router.add_get("/metrics", metrics)
    return app


# --- handlers --------------------------------------------------------------------------------------------------------


async def chat_completions(request: web.Request) -> web.StreamResponse:
    chat: EngineChatRequest = parse(EngineChatRequest, await json_body(request))
    model = request.app[SERVICE].loaded()
    reply = await model.chat(chat)
    finished = False
    try:
        answer = stream(request, model, chat, reply) if chat.stream else collect(model, reply)
        response = await answer
        finished = True
        return response
    finally:
        if not finished:
            model.cancel(reply)


async def collect(model: LoadedModel, reply: ReplyHandle) -> web.Response:
    """Answers with one chat.completion."""
    text = [reply.answer_prefix]
    while True:
        output = await reply.outputs.get(KEEPALIVE_S)
        if isinstance(output, TextOutput):
            text.append(output.text)
        elif isinstance(output, FailedOutput):
            raise output.error
        elif isinstance(output, FinishedOutput):
            completion = Completion(model.id)
            choice = choice_object(0, "".join(text), [], output.reason)
            return web.json_response(completion.whole([choice], output.usage))


async def stream(
    request: web.Request, model: LoadedModel, chat: EngineChatRequest, reply: ReplyHandle
) -> web.StreamResponse:
    """Answers with server-sent events. A failure before the first event still gets its own HTTP status."""
    first = await reply.outputs.get(KEEPALIVE_S)
    if isinstance(first, FailedOutput):
        raise first.error
    response = web.StreamResponse(headers={"Content-Type": sse.CONTENT_TYPE, "Cache-Control": "no-store"})
    await response.prepare(request)
    completion = Completion(model.id)
    head = sse.encode_event(completion.chunk({"role": "assistant", "content": reply.answer_prefix}))
    await send(request, response, head + encode_output(first, completion, chat.include_usage))
    output: SequenceOutput | None = first
    while not isinstance(output, FinishedOutput | FailedOutput):
        output = await reply.outputs.get(KEEPALIVE_S)
        await send(request, response, encode_output(output, completion, chat.include_usage))
    await response.write_eof()
    return response


def encode_output(output: SequenceOutput | None, completion: Completion, include_usage: bool) -> bytes:
    """Encodes one output as server-sent events; None, no output yet, as a comment."""
    if isinstance(output, TextOutput):
        return sse.encode_event(completion.chunk({"content": output.text}))
    if isinstance(output, FailedOutput):
        return sse.encode_event(error_body(output.error))
    if isinstance(output, QueuedOutput):
        wait = "" if output.wait_s is None else f" wait_s={output.wait_s}"
        return sse.encode_comment(f"queued position={output.position}{wait}")
    if isinstance(output, FinishedOutput):
        usage = sse.encode_event(completion.usage(output.usage)) if include_usage else b""
        return sse.encode_event(completion.chunk({}, output.reason)) + usage + sse.encode_done()
    return sse.encode_comment("working")


async def embeddings(request: web.Request) -> web.Response:
    body: EmbeddingsRequest = parse(EmbeddingsRequest, await json_body(request))
    model = request.app[SERVICE].loaded()
    tokenized = [await asyncio.to_thread(model.prompts.embedding, text) for text in body.texts]
    vectors = [await model.embed(tokens) for tokens in tokenized]
    count = sum(len(tokens) for tokens in tokenized)
    return web.json_response(embeddings_object(vectors, model.id, count, packed=body.encoding_format == "base64"))


async def tokenize(request: web.Request) -> web.Response:
    body: TokenizeRequest = parse(TokenizeRequest, await json_body(request))
    model = request.app[SERVICE].loaded()
    if body.messages is not None:
        messages = [plain_message(message) for message in body.messages]
        tokens = (await asyncio.to_thread(model.prompts.tokenize, messages)).tokens.tolist()
    else:
        tokens = await asyncio.to_thread(model.prompts.text, body.prompt or "")
    return web.json_response({"count": len(tokens), "max_model_len": model.window, "tokens": tokens})


async def forget(request: web.Request) -> web.Response:
    """Deletes the states of conversations, in memory and on disk: also those that other models computed."""
    body: ForgetRequest = parse(ForgetRequest, await json_body(request))
    await request.app[SERVICE].loaded().forget(body.keys)
    return web.json_response({})


async def health(request: web.Request) -> web.Response:
    service = request.app[SERVICE]
    if service.stopping:
        return web.json_response({"status": "stopping"}, status=503)
    if service.model is None:
        return web.json_response({"status": "loading"}, status=503)
    if service.model.stalled:
        return web.json_response({"status": "stalled"}, status=503)
    return web.json_response({"status": "ok"})


async def metrics(request: web.Request) -> web.Response:
    return metrics_response(request.app[SERVICE].loaded().metrics.registry)
