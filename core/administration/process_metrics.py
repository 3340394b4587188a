"""The Prometheus metrics of every process of this service on this machine, in one text."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack

import httpx
from prometheus_client.parser import text_string_to_metric_families

from core.configuration.platform_sections import PlatformSettings
from core.configuration.settings import Settings
from core.model.client import local_url
from core.runtime.addresses import reachable_url
from core.runtime.metrics_text import merge_metrics

DEADLINE_S = 2.0
PLATFORMS = ("slack", "discord", "teams")
LABEL = "process"
UP = "csps_process_up"
HEADER = f"# HELP {UP} 1 if the process answers\n# TYPE {UP} gauge\n"


class ProcessMetrics:
    """Asks the model process and the configured bots. The caller adds its own metrics."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def merged(self, name: str, own: str) -> str:
        """All metrics, each with the label `process`. `own`: those of the process that asks, which is called `name`."""
        texts = {name: own, **await self.fetch()}
        up = "".join(f'{UP}{{{LABEL}="{each}"}} {int(text is not None)}\n' for each, text in texts.items())
        return HEADER + up + merge_metrics({each: text for each, text in texts.items() if text}, LABEL)

    async def fetch(self) -> dict[str, str | None]:
        """The metrics by the process's name; None for a process that does not answer."""
        async with AsyncExitStack() as closing:
            clients = {name: await closing.enter_async_context(client) for name, client in self._clients().items()}
            texts = await asyncio.gather(*map(fetch_text, clients.values()))
        return dict(zip(clients, texts, strict=True))

    def _clients(self) -> dict[str, httpx.AsyncClient]:
        settings = self._settings
        model = {} if settings.model.url else {"model": open_model(settings)}
        bots = {name: settings.platform(name) for name in PLATFORMS if settings.platform(name).is_configured}
        return {**model, **{name: open_bot(section) for name, section in bots.items()}}


def open_model(settings: Settings) -> httpx.AsyncClient:
    model = settings.model
    headers = {"Authorization": f"Bearer {model.api_key.get_secret_value()}"} if model.api_key else {}
    if model.listen:
        return httpx.AsyncClient(base_url=local_url(model.listen), trust_env=False, headers=headers, timeout=DEADLINE_S)
    transport = httpx.AsyncHTTPTransport(uds=str(settings.model_socket))
    return httpx.AsyncClient(base_url="http://model", transport=transport, timeout=DEADLINE_S)


def open_bot(section: PlatformSettings) -> httpx.AsyncClient:
    url = reachable_url(section.host, str(section.port))
    return httpx.AsyncClient(base_url=url, trust_env=False, timeout=DEADLINE_S)


async def fetch_text(client: httpx.AsyncClient) -> str | None:
    try:
        response = await client.get("/metrics")
    except httpx.HTTPError:
        return None
    return response.text if response.is_success else None


def sum_of(text: str, name: str) -> float | None:
    """The sum of a metric's samples in a text; None if it has none. Raises ValueError for another format."""
    samples = [
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    ]
    return sum(samples) if samples else None


def waiting_and_running(texts: Mapping[str, str | None]) -> tuple[int, int] | None:
    """The queue of the model process. None: it does not answer, or the models are elsewhere."""
    text = texts.get("model")
    if text is None:
        return None
    waiting, running = (sum_of(text, f"csps_model_{state}") for state in ("waiting", "running"))
    return int(waiting or 0), int(running or 0)
