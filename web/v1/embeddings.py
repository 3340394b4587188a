"""POST /v1/embeddings, by the bundled encoder."""

from __future__ import annotations

from aiohttp import web

from core.openai.public.embeddings import PublicEmbeddingsRequest, PublicEncoder, check_embeddings
from web import request_body
from web.identity.caller import find_names
from web.service import SERVICE
from web.v1.azure import path_model

ENCODER: web.AppKey[PublicEncoder] = web.AppKey("encoder", PublicEncoder)


async def embeddings(request: web.Request) -> web.Response:
    """POST /v1/embeddings."""
    asked = await request_body.read_json(request, PublicEmbeddingsRequest, path_model(request))
    check_embeddings(asked, request.app[SERVICE].engine.personalities(find_names(request)))
    return web.json_response(await request.app[ENCODER].embed(asked))
