"""GET /v1/models: the personalities, and the encoder for embeddings."""

from __future__ import annotations

import asyncio

from aiohttp import web

from core.contract import Json
from core.openai.public.embeddings import ALIAS
from core.openai.public.models import encoder_object, personality_object
from core.openai.response_objects import list_object
from core.rag.embeddings import LocalEmbedder
from web.identity.caller import find_names
from web.service import SERVICE, Service

DESCRIBE_WAIT_S = 0.7  # clients list models before they show anything


async def models(request: web.Request) -> web.Response:
    """GET /v1/models. The window and the model behind a personality are null while no model answers."""
    service = request.app[SERVICE]
    described = await asyncio.gather(
        *(describe(service, name) for name in service.engine.personalities(find_names(request)))
    )
    return web.json_response(list_object([*described, encoder_object()]))


async def one_model(request: web.Request) -> web.Response:
    """GET /v1/models/<personality>, and /v1/models/<encoder>."""
    service, name = request.app[SERVICE], request.match_info["personality"]
    if name in (ALIAS, LocalEmbedder.name):
        return web.json_response(encoder_object(name))
    return web.json_response(await describe(service, service.check_personality(name, find_names(request))))


async def describe(service: Service, name: str) -> dict[str, Json]:
    return personality_object(name, await service.description(name, DESCRIBE_WAIT_S))
