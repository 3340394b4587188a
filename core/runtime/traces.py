"""Spans for OpenTelemetry, where its variables name a collector. Elsewhere they cost nothing.

A span has a name, times, codes and counts: never a text, an id or a person. OpenTelemetry's SDK reads its own variables
(OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER and others).
"""

from __future__ import annotations

import atexit
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from core.errors import ConfigError, CspsError

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
SERVICE = "csps-llm"
Value = str | int | float | bool

_tracer: Any = None  # global as the log is: set once, before the process serves


class Span:
    """A span that runs. Without a collector it does nothing."""

    def __init__(self, traced: Any = None) -> None:
        self._traced = traced

    def set(self, **attributes: Value) -> None:
        if self._traced is not None:
            for name, value in attributes.items():
                self._traced.set_attribute(f"csps.{name}", value)

    def event(self, name: str) -> None:
        if self._traced is not None:
            self._traced.add_event(name)


NO_SPAN = Span()


def configure(process: str, environ: Mapping[str, str]) -> None:
    """Begins to send spans if a variable names a collector. Raises ConfigError if the packages for it are missing."""
    if any(environ.get(variable) for variable in ENDPOINTS):
        use(build_provider(process, environ))


def build_provider(process: str, environ: Mapping[str, str]) -> Any:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as exc:
        raise ConfigError(
            f"{ENDPOINTS[0]}: traces need two more packages: .venv/bin/pip install opentelemetry-sdk"
            " opentelemetry-exporter-otlp-proto-http"
        ) from exc
    names = {"service.name": environ.get("OTEL_SERVICE_NAME") or SERVICE, "csps.process": process}
    provider = TracerProvider(resource=Resource.create(names))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    atexit.register(provider.shutdown)
    return provider


def use(provider: Any) -> None:
    """`provider`: OpenTelemetry's TracerProvider; None ends the traces."""
    global _tracer
    _tracer = provider.get_tracer(SERVICE) if provider else None


@contextmanager
def request_span(name: str) -> Iterator[Span]:
    """A span that later spans of this task, and of tasks that it starts, are parts of. Not for a generator."""
    if _tracer is None:
        yield NO_SPAN
        return
    with _tracer.start_as_current_span(name, record_exception=False) as traced:
        yield Span(traced)


@contextmanager
def span(name: str, **attributes: Value) -> Iterator[Span]:
    """A part of the request. An error of ours is named by its code, another one by its class, without its message."""
    if _tracer is None:
        yield NO_SPAN
        return
    traced = _tracer.start_span(name)
    running = Span(traced)
    running.set(**attributes)
    try:
        yield running
    except BaseException as exc:
        running.set(error=exc.code if isinstance(exc, CspsError) else type(exc).__name__)
        raise
    finally:
        traced.end()
