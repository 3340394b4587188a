"""Serves all models over HTTP with OpenAI's protocol: finds the worker of each request and passes it on."""

from __future__ import annotations

import asyncio
import hmac
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from core.errors import ModelUnavailable, Stopping
from core.model.host.downloads import Downloads
from core.model.host.listing import list_models
from core.model.host.model_host import ModelHost
from core.model.host.proxy import answer
from core.model.host.tickets import PooledWorker
from core.model.http_service import BODY_LIMIT_BYTES, Handler, errors_as_json, parse_json, read_body
from core.model.library.file_digests import FileDigests
from core.openai.engine_requests import EmbeddingsRequest, ForgetRequest, parse
from core.openai.response_objects import embeddings_object, list_object
from core.runtime.metrics_text import merge_metrics

if TYPE_CHECKING:
    from core.rag.embeddings import CountingEmbedder

ENCODER_THREADS = 1  # the other cores belong to the models
WORKER_DEADLINE_S = 5.0  # for its metrics
FORGET_DEADLINE_S = 15.0  # for a step of the model, and for a file that is being written
FORGET_RETRY_AFTER_S = 5.0


@dataclass
class HostService:
    """The state that the handlers share."""

    host: ModelHost
    downloads: Downloads
    api_key: str | None = None
    digests: FileDigests | None = None
    stopping: bool = False
    encoder: CountingEmbedder | None = None  # imported at its first request, and loaded

    def serving(self) -> ModelHost:
        """Raises Stopping."""
        if self.stopping:
            raise Stopping("the model process is stopping", retry_after_s=5)
        return self.host

    async def bundled_encoder(self) -> CountingEmbedder:
        if self.encoder is None:
            encoder = await asyncio.to_thread(import_encoder)
            self.encoder = self.encoder or encoder
        return self.encoder


def import_encoder() -> CountingEmbedder:
    from core.rag.embeddings import LocalEmbedder  # imports numpy, too late for the start

    return LocalEmbedder(ENCODER_THREADS)


SERVICE = web.AppKey("service", HostService)


def create_app(service: HostService) -> web.Application:
    app = web.Application(middlewares=[errors_as_json, authorize], client_max_size=BODY_LIMIT_BYTES)
    app[SERVICE] = service
    app.router.add_post("/v1/chat/completions", forward)
    app.router.add_post("/v1/embeddings", embeddings)
    app.router.add_get("/v1/models", models)
    app.router.add_post("/tokenize", forward)
    app.router.add_post("/forget", forget)
    app.router.add_get("/health", health)
    app.router.add_get("/metrics", metrics)
    return app


@web.middleware
async def authorize(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Requires the API key over TCP. File permissions protect the Unix socket."""
    key = request.app[SERVICE].api_key
    api_key = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if key and request.path != "/health" and not hmac.compare_digest(api_key.encode("utf-8", "replace"), key.encode()):
        raise web.HTTPUnauthorized(reason="this model process requires `Authorization: Bearer <LLM_API_KEY>`")
    return await handler(request)


async def forward(request: web.Request) -> web.StreamResponse:
    """Passes the body as it is to the worker, which validates it."""
    body = await read_body(request)
    fields = parse_json(body)
    model, streams = (fields.get("model"), fields.get("stream")) if isinstance(fields, dict) else (None, None)
    host = request.app[SERVICE].serving()
    ticket = await host.request(model if isinstance(model, str) else None)
    return await answer(request, body, ticket, streams=streams is True)


async def embeddings(request: web.Request) -> web.StreamResponse:
    body = await read_body(request)
    asked: EmbeddingsRequest = parse(EmbeddingsRequest, parse_json(body))
    service = request.app[SERVICE]
    encoder = await service.bundled_encoder()
    if asked.model != encoder.name:
        return await answer(request, body, await service.serving().request(asked.model), streams=False)
    embedded = await encoder.embed_counted(asked.texts)
    packed = asked.encoding_format == "base64"
    return web.json_response(embeddings_object(embedded.vectors.tolist(), encoder.name, embedded.tokens, packed=packed))


async def models(request: web.Request) -> web.Response:
    service = request.app[SERVICE]
    host = service.serving()
    await host.refresh_outdated()
    return web.json_response(list_object(list_models(host, service.downloads, service.digests)))


async def forget(request: web.Request) -> web.Response:
    """Has all workers drop the states of conversations. One of them also deletes those on disk, of every model.

    Answers 503 if a worker could not do it, or if there is none: the caller repeats the request later.
    """
    body = await read_body(request)
    parse(ForgetRequest, parse_json(body))
    workers = [each for each in request.app[SERVICE].serving().pool.workers() if each.state != "loading"]
    done = await asyncio.gather(*(pass_forget(each, body) for each in workers))
    if not done or not all(done):
        raise ModelUnavailable("a model could not drop its states now", retry_after_s=FORGET_RETRY_AFTER_S)
    return web.json_response({})


async def pass_forget(worker: PooledWorker, body: bytes) -> bool:
    """Passes the request on; False if the worker did not do it. One that is stopping may be writing to disk."""
    if worker.state != "ready":
        return False
    headers = {"Content-Type": "application/json"}
    try:
        async with asyncio.timeout(FORGET_DEADLINE_S):
            async with worker.process.http.post("/forget", data=body, headers=headers) as response:
                return response.status == HTTPStatus.OK
    except (aiohttp.ClientError, TimeoutError):
        return False


async def health(request: web.Request) -> web.Response:
    service = request.app[SERVICE]
    status = "stopping" if service.stopping else service.host.status
    return web.json_response({"status": status}, status=200 if status == "ok" else 503)


async def metrics(request: web.Request) -> web.Response:
    """Answers with the metrics of all loaded models."""
    workers = [each for each in request.app[SERVICE].serving().pool.workers() if each.state == "ready"]
    texts = await asyncio.gather(*map(fetch_metrics, workers))
    named = {each.deployment.model_id: text for each, text in zip(workers, texts, strict=True)}
    return web.Response(body=merge_metrics(named, "model").encode(), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def fetch_metrics(worker: PooledWorker) -> str:
    """Returns "" for a worker that is about to end."""
    try:
        async with asyncio.timeout(WORKER_DEADLINE_S), worker.process.http.get("/metrics") as response:
            return await response.text() if response.status == 200 else ""
    except (aiohttp.ClientError, TimeoutError):
        return ""
