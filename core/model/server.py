"""The model process over HTTP, in OpenAI's words. Knows requests and replies; nothing of tokens or llama.cpp."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import structlog
from aiohttp import web

from core.contract import Done, Json
from core.errors import BadRequest, CspsError, ModelUnavailable, Stopping
from core.model.host import ModelHost, ReplyHandle
from core.model.sequence import FailedOutput, FinishedOutput, QueuedOutput, SequenceOutput, TextOutput
from core.openai.engine_requests import ChatRequest, EmbeddingsRequest, TokenizeRequest, parse
from core.openai.responses import Completion, error_object, openai_status
from core.rag.embeddings import Embedder, LocalEmbedder
from core.runtime.metrics import metrics_response

log = structlog.get_logger()

BODY_LIMIT_BYTES = 8 * 1024 * 1024
BODY_TIMEOUT_S = 30.0  # for a whole request to arrive
SEND_TIMEOUT_S = 60.0  # a reader that takes nothing for so long is cut off, and its slot is another's
ENCODER_THREADS = 1  # the cores are the model's
KEEPALIVE_S = 10.0  # a stream that has nothing to say sends a comment this often, so that its reader knows we live
READER_LEFT = 499  # nginx's number for it; nobody receives it
SSE = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}


@dataclass
class ModelService:
    """What the handlers share. The host appears when the model is loaded."""

    api_key: str | None = None
    host: ModelHost | None = None
    stopping: bool = False
    encoder: Embedder = field(default_factory=lambda: LocalEmbedder(ENCODER_THREADS))  # loaded when first asked

    def loaded(self) -> ModelHost:
        if self.stopping:
            raise Stopping("the model process is stopping", retry_after_s=5)
        if self.host is None:
            raise ModelUnavailable("the model is being loaded", retry_after_s=2)
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
    chat: ChatRequest = parse(ChatRequest, await json_body(request))
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


async def collect(host: ModelHost, reply: ReplyHandle) -> web.Response:
    """The whole answer as one chat.completion."""
    text = [reply.opening]
    while True:
        output = await reply.reader.next(KEEPALIVE_S)
        if isinstance(output, TextOutput):
            text.append(output.text)
        elif isinstance(output, FailedOutput):
            raise output.error
        elif isinstance(output, FinishedOutput):
            done = Done(output.reason, host.file.name, output.usage)
            return web.json_response(Completion(host.file.name).whole("".join(text), [], done))


async def stream(request: web.Request, host: ModelHost, chat: ChatRequest, reply: ReplyHandle) -> web.StreamResponse:
    """The answer as server-sent events. A failure before the first one still gets its own status."""
    first = await reply.reader.next(KEEPALIVE_S)
    if isinstance(first, FailedOutput):
        raise first.error
    response = web.StreamResponse(headers=SSE)
    await response.prepare(request)
    completion = Completion(host.file.name)
    await send(request, response, event(completion.chunk({"role": "assistant", "content": reply.opening})))
    output: SequenceOutput | None = first
    while True:
        if isinstance(output, FailedOutput):
            await send(request, response, event({"error": error_object(output.error)}))
            break
        await send(request, response, "".join(lines_for(output, completion, chat.include_usage)))
        if isinstance(output, FinishedOutput):
            break
        output = await reply.reader.next(KEEPALIVE_S)
    await response.write_eof()
    return response


def lines_for(output: SequenceOutput | None, completion: Completion, include_usage: bool) -> list[str]:
    """What one output is on the wire; None is "nothing yet"."""
    if isinstance(output, TextOutput):
        return [event(completion.chunk({"content": output.text}))]
    if isinstance(output, QueuedOutput):
        wait = "" if output.wait_s is None else f" wait_s={output.wait_s}"
        return [f": queued position={output.position}{wait}\n\n"]
    if isinstance(output, FinishedOutput):
        usage = [event(completion.usage(output.usage))] if include_usage else []
        return [event(completion.chunk({}, output.reason)), *usage, "data: [DONE]\n\n"]
    return [": working\n\n"]


async def embeddings(request: web.Request) -> web.Response:
    wanted: EmbeddingsRequest = parse(EmbeddingsRequest, await json_body(request))
    if wanted.model == LocalEmbedder.name:
        return await encoded(request.app[SERVICE].encoder, wanted)
    host = request.app[SERVICE].loaded()
    check_model(wanted.model, host)
    tokenized = [await asyncio.to_thread(host.prompts.embedding, text) for text in wanted.texts]
    vectors = [await host.embed(tokens) for tokens in tokenized]
    return embedded(wanted, vectors, host.file.name, sum(len(tokens) for tokens in tokenized))


async def encoded(encoder: Embedder, wanted: EmbeddingsRequest) -> web.Response:
    """By the bundled sentence encoder, whatever the model is; it counts no tokens."""
    vectors = await encoder.embed(wanted.texts)
    return embedded(wanted, vectors.tolist(), encoder.name, 0)


def embedded(wanted: EmbeddingsRequest, vectors: Sequence[list[float]], model: str, tokens: int) -> web.Response:
    packed = wanted.encoding_format == "base64"
    data = [
        {"object": "embedding", "index": i, "embedding": base64_of(vector) if packed else vector}
        for i, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return web.json_response({"object": "list", "data": data, "model": model, "usage": usage})


async def models(request: web.Request) -> web.Response:
    host = request.app[SERVICE].loaded()
    model = {
        "id": host.file.name,
        "object": "model",
        "created": int(host.modified_at),
        "owned_by": "csps-llm",
        "max_model_len": host.window,
        "starter": host.file.starter,
        "embedder": host.embeds,
    }
    return web.json_response({"object": "list", "data": [model]})


async def tokenize(request: web.Request) -> web.Response:
    wanted: TokenizeRequest = parse(TokenizeRequest, await json_body(request))
    host = request.app[SERVICE].loaded()
    if wanted.messages is not None:
        messages = [m.plain() for m in wanted.messages]
        tokens = (await asyncio.to_thread(host.prompts.tokenize, messages)).tokens.tolist()
    else:
        tokens = await asyncio.to_thread(host.prompts.text, wanted.prompt or "")
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


# --- what handlers share ---------------------------------------------------------------------------------------------

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every failure as OpenAI's error object, with its status; nothing of the request is repeated in it."""
    try:
        return await handler(request)
    except CspsError as exc:
        headers = {} if exc.retry_after_s is None else {"Retry-After": str(max(1, round(exc.retry_after_s)))}
        return web.json_response({"error": error_object(exc)}, status=openai_status(exc), headers=headers)
    except web.HTTPException as exc:
        body = {"message": exc.reason, "type": "invalid_request_error", "param": None, "code": None}
        return web.json_response({"error": body}, status=exc.status)
    except ConnectionResetError:
        log.info("reader_left")
        return web.Response(status=READER_LEFT)


@web.middleware
async def authorize(request: web.Request, handler: Handler) -> web.StreamResponse:
    """On TCP callers show the key; the Unix socket is guarded by the file system."""
    key = request.app[SERVICE].api_key
    shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if key and request.path != "/health" and not hmac.compare_digest(shown.encode("utf-8", "replace"), key.encode()):
        raise web.HTTPUnauthorized(reason="this model process wants `Authorization: Bearer <LLM_API_KEY>`")
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


def check_model(wanted: str | None, host: ModelHost) -> None:
    if wanted is not None and wanted != host.file.name:
        raise web.HTTPNotFound(reason=f"this process serves the model {host.file.name!r} and no other")


def base64_of(vector: list[float]) -> str:
    """As OpenAI packs it: 32-bit floats, little-endian."""
    return base64.b64encode(np.asarray(vector, "<f4").tobytes()).decode("ascii")


def event(body: Json) -> str:
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"


async def send(request: web.Request, response: web.StreamResponse, text: str) -> None:
    """Raises TimeoutError, and cuts the connection, if the reader takes nothing for long."""
    try:
        async with asyncio.timeout(SEND_TIMEOUT_S):
            await response.write(text.encode("utf-8", "replace"))
    except TimeoutError:
        log.warning("reader_cut_off", after_s=SEND_TIMEOUT_S)
        if request.transport:
            request.transport.abort()
        raise
