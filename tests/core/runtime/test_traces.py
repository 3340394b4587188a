"""Spans go to a collector where one is set, with codes and counts and no text."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from core.errors import BadRequest, ConfigError
from core.runtime import traces


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    traces.use(provider)
    yield kept
    traces.use(None)


async def test_parts_belong_to_their_request(exporter: InMemorySpanExporter) -> None:
    """A task that the request starts belongs to it too, and another request does not."""

    async def part() -> None:
        with traces.span("answer", channel="web") as span:
            span.event("first_text")
            span.set(completion_tokens=3)

    async def request() -> None:
        with traces.request_span("request"):
            await asyncio.create_task(part())

    await asyncio.gather(request(), request())

    by_name: dict[str, list[ReadableSpan]] = {}
    for each in exporter.get_finished_spans():
        by_name.setdefault(each.name, []).append(each)
    requests = {each.context.span_id for each in by_name["request"] if each.context}
    assert requests == {each.parent.span_id for each in by_name["answer"] if each.parent}
    assert dict(by_name["answer"][0].attributes or {}) == {"csps.channel": "web", "csps.completion_tokens": 3}


def test_an_error_is_named_without_its_message(exporter: InMemorySpanExporter) -> None:
    """Messages may quote people."""
    for error in (BadRequest("the prompt 'secret' is wrong"), ValueError("secret")):
        with pytest.raises(type(error)), traces.span("answer"):
            raise error

    spans = exporter.get_finished_spans()
    assert [(each.attributes or {})["csps.error"] for each in spans] == ["bad_request", "ValueError"]
    assert "secret" not in str([each.to_json() for each in spans])


def test_without_a_collector_nothing_is_recorded() -> None:
    traces.configure("web", {})
    with traces.request_span("request") as request, traces.span("answer") as part:
        request.set(status=200)
        part.event("first_text")

    assert request is part is traces.NO_SPAN


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A collector without the packages refuses to start, with the command that installs them."""
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(ConfigError, match="pip install opentelemetry-sdk"):
        traces.configure("web", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"})
