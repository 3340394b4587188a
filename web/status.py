"""Describes the service: its personalities, health, readiness and metrics."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from core.administration.process_metrics import ProcessMetrics
from core.model_report import report_models
from core.runtime.http_server import metrics_response
from web.identity.caller import find_names
from web.service import SERVICE


async def describe(request: web.Request) -> web.Response:
    """GET /describe/<personality>. Works while the model does not answer."""
    service = request.app[SERVICE]
    description = await service.engine.describe(
        service.check_personality(request.match_info["personality"], find_names(request))
    )
    return web.json_response(asdict(description))


async def describe_all(request: web.Request) -> web.Response:
    """GET /describe: all personalities, also those whose model does not answer."""
    service = request.app[SERVICE]
    descriptions = await asyncio.gather(*map(service.description, service.engine.personalities(find_names(request))))
    return web.json_response({"personalities": [asdict(each) for each in descriptions if each]})


async def healthz(_request: web.Request) -> web.Response:
    """GET /healthz: the process serves."""
    return web.json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.Response:
    """GET /readyz: 200 if a prompt would be answered now, with the models; else 503 with the reason."""
    service = request.app[SERVICE]
    service.gate.check_ready()
    await service.engine.ready()
    return web.json_response({"status": "ready", **await report_models(service.engine)})


class AllMetrics:
    """The metrics of every process of this machine, at one address for Prometheus."""

    def __init__(self, metrics: ProcessMetrics) -> None:
        self._metrics = metrics

    async def show(self, request: web.Request) -> web.Response:
        """GET /metrics/all."""
        own = generate_latest(request.app[SERVICE].metrics.registry).decode()
        merged = await self._metrics.merged("web", own)
        return web.Response(body=merged.encode(), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def metrics(request: web.Request) -> web.Response:
    """GET /metrics, for Prometheus."""
    return metrics_response(request.app[SERVICE].metrics.registry)
