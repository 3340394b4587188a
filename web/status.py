"""What the service says of itself: its personalities, whether it lives, whether it can answer, what it counts."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

from aiohttp import web

from core.contract import Description
from core.errors import PersonalityUnknown
from core.runtime.metrics import metrics_response
from web.service import SERVICE, Service


async def describe(request: web.Request) -> web.Response:
    """GET /describe/<personality>, also while its model does not answer."""
    service = request.app[SERVICE]
    description = await service.engine.describe(service.personality(request.match_info["personality"]))
    return web.json_response(asdict(description))


async def describe_all(request: web.Request) -> web.Response:
    """GET /describe: all of them, also those whose model does not answer."""
    service = request.app[SERVICE]
    found = await asyncio.gather(*(described(service, name) for name in service.engine.personalities()))
    return web.json_response({"personalities": [asdict(each) for each in found if each]})


async def described(service: Service, name: str) -> Description | None:
    """None for a personality that was taken away since it was listed."""
    try:
        return await service.engine.describe(name)
    except PersonalityUnknown:
        return None


async def healthz(_request: web.Request) -> web.Response:
    """GET /healthz: the process serves."""
    return web.json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.Response:
    """GET /readyz: a prompt would be answered now; else 503 and why."""
    service = request.app[SERVICE]
    service.life.refuse_when_stopping()
    await service.engine.ready()
    return web.json_response({"status": "ready"})


async def metrics(request: web.Request) -> web.Response:
    """GET /metrics, for Prometheus."""
    return metrics_response(request.app[SERVICE].metrics.registry)
