"""Prometheus metrics: the parts that every process of the service has in common."""

from __future__ import annotations

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, generate_latest

from core.contract import Usage


def metrics_response(registry: CollectorRegistry) -> web.Response:
    """Answers GET /metrics."""
    return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


def count_tokens(tokens: Counter, usage: Usage) -> None:
    """Adds `usage` to a counter whose label is the kind of token."""
    tokens.labels("prompt").inc(usage.prompt_tokens)
    tokens.labels("completion").inc(usage.completion_tokens)
    tokens.labels("cached").inc(usage.cached_tokens)
