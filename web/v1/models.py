"""GET /v1/models: the personalities."""

from __future__ import annotations

from aiohttp import web

from core.openai.response_objects import list_object, model_object
from web.service import SERVICE


async def models(request: web.Request) -> web.Response:
    """GET /v1/models."""
    names = request.app[SERVICE].engine.personalities()
    return web.json_response(list_object([model_object(name) for name in names]))


async def one_model(request: web.Request) -> web.Response:
    """GET /v1/models/<personality>."""
    return web.json_response(model_object(request.app[SERVICE].check_personality(request.match_info["personality"])))
