"""Serves the model over HTTP with OpenAI's protocol. Knows requests and replies; no tokens and no llama.cpp."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog
from aiohttp import web

from core.errors import BadRequest, CspsError, ModelUnavailable, Stopping
from core.model.worker.loaded_model import LoadedModel, ReplyHandle
from core.model.worker.sequence import FailedOutput, FinishedOutput, QueuedOutput, SequenceOutput, TextOutput
from core.openai import sse
from core.openai.engine_requests import EmbeddingsRequest, EngineChatRequest, TokenizeRequest, parse, plain_message
from core.openai.responses import (
    Completion,
    embeddings_object,
    error_body,
    http_error_body,
    list_object,
    model_object,
    openai_status,
)
from core.rag.embeddings import Embedder, LocalEmbedder
from core.runtime.http_server import metrics_response

log = structlog.get_logger()

BODY_LIMIT_BYTES = 8 * 1024 * 1024
BODY_TIMEOUT_S = 30.0  # for a whole request to arrive
SEND_TIMEOUT_S = 60.0  # a client that reads nothing for this long is dropped, which frees its slot
ENCODER_THREADS = 1  # the other cores belong to the model
KEEPALIVE_S = 10.0  # a silent stream sends a comment at this interval, so that the client sees that we live
CLIENT_DISCONNECTED = 499  # nginx's status; nobody receives it


@dataclass
class ModelService:
    """The state that the handlers share. `host` is None until the model is loaded."""

    api_key: str | None = None
    host: LoadedModel | None = None
    stopping: bool = False
    encoder: Embedder = field(default_factory=lambda: LocalEmbedder(ENCODER_THREADS))  # loads at its first request

    def loaded(self) -> LoadedModel:
        """Returns the host. Raises Stopping, ModelUnavailable."""
        if self.stopping:
            raise Stopping("the model process is stopping", retry_after_s=5)
        if self.host is None:
            raise ModelUnavailable("the model is loading", retry_after_s=2)
        return self.host


SERVICE = web.AppKey("service", ModelService)


def create_app(service: ModelService) -> web.Application:
    app = web.Application(middlewares=[errors_as_json, authorize], client_max_size=BODY_LIMIT_BYTES)
    app[SERVICE] = service
    app.router.add_post("/v1/chat/completions", chat_completions)
    app.router.add_post("/v1/embeddings", embeddings)
    app.router.add_get("/v1/models", models)
    app.router.add_post("/tokenize", tokenize)
    app.router.add_get("/health", health)
    app.router.add_get("/metrics", metrics)
    return app


# --- handlers --------------------------------------------------------------------------------------------------------


async def chat_completions(request: web.Request) -> web.StreamResponse:
    chat: EngineChatRequest = parse(EngineChatRequest, await json_body(request))
    host = request.app[SERVICE].loaded()
    check_model(chat.model, host)
    reply = await host.chat(chat)
    finished = False
    try:
        answer = stream(request, host, chat, reply) if chat.stream else collect(host, reply)
        response = await answer
        finished = True
        return response
    finally:
        if not finished:
            host.cancel(reply)


async def collect(host: LoadedModel, reply: ReplyHandle) -> web.Response:
    """Answers with one chat.completion."""
    text = [reply.answer_prefix]
    while True:
        output = await reply.outputs.get(KEEPALIVE_S)
        if isinstance(output, TextOutput):
            text.append(output.text)
        elif isinstance(output, FailedOutput):
            raise output.error
        elif isinstance(output, FinishedOutput):
            completion = Completion(host.file.name)
            return web.json_response(completion.whole("".join(text), [], output.reason, output.usage))


async def stream(
    request: web.Request, host: LoadedModel, chat: EngineChatRequest, reply: ReplyHandle
) -> web.StreamResponse:
    """Answers with server-sent events. A failure before the first event still gets its own HTTP status."""
    first = await reply.outputs.get(KEEPALIVE_S)
    if isinstance(first, FailedOutput):
        raise first.error
    response = web.StreamResponse(headers={"Content-Type": sse.CONTENT_TYPE, "Cache-Control": "no-store"})
    await response.prepare(request)
    completion = Completion(host.file.name)
    head = completion.chunk({"role": "assistant", "content": reply.answer_prefix})
    await send(request, response, sse.encode_event(head))
    output: SequenceOutput | None = first
    while True:
        if isinstance(output, FailedOutput):
            await send(request, response, sse.encode_event(error_body(output.error)))
            break
        await send(request, response, encode_output(output, completion, chat.include_usage))
        if isinstance(output, FinishedOutput):
            break
        output = await reply.outputs.get(KEEPALIVE_S)
    await response.write_eof()
    return response


def encode_output(output: SequenceOutput | None, completion: Completion, include_usage: bool) -> bytes:
    """Encodes one output as server-sent events; None, no output yet, as a comment."""
    if isinstance(output, TextOutput):
        return sse.encode_event(completion.chunk({"content": output.text}))
    if isinstance(output, QueuedOutput):
        wait = "" if output.wait_s is None else f" wait_s={output.wait_s}"
        return sse.encode_comment(f"queued position={output.position}{wait}")
    if isinstance(output, FinishedOutput):
        usage = sse.encode_event(completion.usage(output.usage)) if include_usage else b""
        return sse.encode_event(completion.chunk({}, output.reason)) + usage + sse.encode_done()
    return sse.encode_comment("working")


async def embeddings(request: web.Request) -> web.Response:
    body: EmbeddingsRequest = parse(EmbeddingsRequest, await json_body(request))
    packed = body.encoding_format == "base64"
    if body.model == LocalEmbedder.name:  # the bundled sentence encoder, which counts no tokens
        encoder = request.app[SERVICE].encoder
        vectors = (await encoder.embed(body.texts)).tolist()
        return web.json_response(embeddings_object(vectors, encoder.name, 0, packed=packed))
    host = request.app[SERVICE].loaded()
    check_model(body.model, host)
    tokenized = [await asyncio.to_thread(host.prompts.embedding, text) for text in body.texts]
    vectors = [await host.embed(tokens) for tokens in tokenized]
    count = sum(len(tokens) for tokens in tokenized)
    return web.json_response(embeddings_object(vectors, host.file.name, count, packed=packed))


async def models(request: web.Request) -> web.Response:
    host = request.app[SERVICE].loaded()
    ours = {"max_model_len": host.window, "starter": host.file.starter, "embedder": host.embeds}
    return web.json_response(list_object([{**model_object(host.file.name, int(host.modified_at)), **ours}]))


async def tokenize(request: web.Request) -> web.Response:
    body: TokenizeRequest = parse(TokenizeRequest, await json_body(request))
    host = request.app[SERVICE].loaded()
    if body.messages is not None:
        messages = [plain_message(message) for message in body.messages]
        tokens = (await asyncio.to_thread(host.prompts.tokenize, messages)).tokens.tolist()
    else:
        tokens = await asyncio.to_thread(host.prompts.text, body.prompt or "")
    return web.json_response({"count": len(tokens), "max_model_len": host.window, "tokens": tokens})


async def health(request: web.Request) -> web.Response:
    service = request.app[SERVICE]
    if service.stopping:
        return web.json_response({"status": "stopping"}, status=503)
    if service.host is None:
        return web.json_response({"status": "loading"}, status=503)
    if service.host.stalled:
        return web.json_response({"status": "stalled"}, status=503)
    return web.json_response({"status": "ok"})


async def metrics(request: web.Request) -> web.Response:
    return metrics_response(request.app[SERVICE].loaded().metrics.registry)


# --- shared by the handlers ------------------------------------------------------------------------------------------

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns each failure into OpenAI's error object with its status. The object quotes nothing of the request."""
    try:
        return await handler(request)
    except CspsError as exc:
        headers = {} if exc.retry_after_s is None else {"Retry-After": str(max(1, round(exc.retry_after_s)))}
        return web.json_response(error_body(exc), status=openai_status(exc), headers=headers)
    except web.HTTPException as exc:
        return web.json_response(http_error_body(exc.reason, exc.status), status=exc.status)
    except ConnectionResetError:
        log.info("client_disconnected")
        return web.Response(status=CLIENT_DISCONNECTED)


@web.middleware
async def authorize(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Requires the API key over TCP. File permissions protect the Unix socket."""
    key = request.app[SERVICE].api_key
    api_key = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if key and request.path != "/health" and not hmac.compare_digest(api_key.encode("utf-8", "replace"), key.encode()):
        raise web.HTTPUnauthorized(reason="this model process requires `Authorization: Bearer <LLM_API_KEY>`")
    return await handler(request)


async def json_body(request: web.Request) -> object:
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            body = await request.read()
    except TimeoutError as exc:
        raise web.HTTPRequestTimeout(reason=f"the body did not arrive within {BODY_TIMEOUT_S:g} s") from exc
    except web.RequestPayloadError as exc:
        raise BadRequest("the body is not well-formed HTTP") from exc
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise BadRequest("the body is not valid JSON in UTF-8") from exc


def check_model(name: str | None, host: LoadedModel) -> None:
    if name is not None and name != host.file.name:
        raise web.HTTPNotFound(reason=f"this process serves only the model {host.file.name!r}")


async def send(request: web.Request, response: web.StreamResponse, data: bytes) -> None:
    """Writes to the client. Raises TimeoutError, and drops the connection, if the client reads nothing for long."""
    try:
        async with asyncio.timeout(SEND_TIMEOUT_S):
            await response.write(data)
    except TimeoutError:
        log.warning("client_dropped", after_s=SEND_TIMEOUT_S)
        if request.transport:
            request.transport.abort()
        raise
