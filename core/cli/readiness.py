"""Reports of `up` on whether the service answers, and whether the engine behind LLM_URL does."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Protocol

import httpx

from core.contract import Language
from core.errors import CspsError, ModelUnavailable
from core.model.client import ModelInfo
from core.runtime.addresses import is_local, listen_url, reachable_url
from core.runtime.hang_guards import HealthProbe
from core.runtime.network_errors import explain_cause, without_credentials
from core.texts import text

READY_INTERVAL_S = 0.25
SLOW_START_S = 2.0  # a slower start gets a message
REMINDER_S = 30.0
REQUEST_DEADLINE_S = 10.0
ENGINE_DOWN_INTERVAL_S = 2.0  # people may be waiting for it
ENGINE_UP_INTERVAL_S = 15.0


class EventLog(Protocol):
    """`core.cli.merged_log.MergedLog`, as far as this module needs it."""

    def write_event(self, event: str, message: str, **values: object) -> None: ...


class ReadyAnnouncer:
    """Announces the address, the model and how to stop, once the service at `host`:`port` is ready.

    It asks `personality` for the model's name. `model` is the health of the model process; None with a remote engine.
    """

    def __init__(
        self,
        host: str,
        port: int,
        personality: str,
        log: EventLog,
        language: Language,
        model: HealthProbe | None = None,
    ) -> None:
        self._base_url = reachable_url(host, port)
        self.url = browser_url(host, port)
        self._personality = personality
        self._log = log
        self._language = language
        self._model = model

    async def run(self) -> None:
        """Returns after the announcement, which may never come."""
        # trust_env=False: a proxy in the environment is for the outside, not for this machine.
        async with httpx.AsyncClient(base_url=self._base_url, trust_env=False, timeout=REQUEST_DEADLINE_S) as client:
            async with asyncio.TaskGroup() as tasks:
                reminder = tasks.create_task(self._remind())
                await wait_until_ready(client)
                reminder.cancel()
            description = await fetch_description(client, self._personality)
        model = str(description.get("model") or text("cli-up-model-unknown", self._language))
        key = "cli-up-ready-starter" if description.get("starter") else "cli-up-ready"
        message = f"\n{text(key, self._language, url=self.url, model=model)}\n"
        self._log.write_event("ready", message, url=self.url, model=model)

    async def _remind(self) -> None:
        started_at = time.monotonic()
        await asyncio.sleep(SLOW_START_S)
        event = "loading" if await self._is_loading() else "starting"
        self._log.write_event(event, text(f"cli-up-{event}", self._language))
        while True:
            await asyncio.sleep(REMINDER_S)
            seconds = round(time.monotonic() - started_at)
            self._log.write_event(
                "still_loading", text("cli-up-still-loading", self._language, seconds=seconds), seconds=seconds
            )

    async def _is_loading(self) -> bool:
        """Tells whether the model process is loading: it listens then, and its health check says so."""
        if self._model is None:
            return False
        try:
            return await self._model.state(REQUEST_DEADLINE_S) == "answers"
        finally:
            await self._model.close()


async def wait_until_ready(client: httpx.AsyncClient) -> None:
    """Returns when /readyz answers 200. It polls: nothing between processes announces it."""
    while True:
        try:
            if (await client.get("/readyz")).status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:  # not listening yet, or being restarted
            pass
        await asyncio.sleep(READY_INTERVAL_S)


async def fetch_description(client: httpx.AsyncClient, personality: str) -> dict[str, Any]:
    """The service's description of `personality`; empty if it does not answer with one."""
    try:
        body = (await client.get(f"/describe/{personality}")).json()
    except (httpx.HTTPError, ValueError):
        return {}
    return body if isinstance(body, dict) else {}


def browser_url(host: str, port: int) -> str:
    """The URL to open in a browser on this machine."""
    return listen_url("localhost" if is_local(host) else host, port)


class MonitoredEngine(Protocol):
    """`core.model.client.EngineConnection`, as far as this module needs it."""

    async def ready(self) -> None: ...

    async def info(self) -> ModelInfo: ...


class EngineMonitor:
    """Reports when an engine behind a URL stops answering, why, and when it answers again.

    The service itself goes on: other engines answer, or answers wait, and are refused in the end. Nothing else would
    tell an operator. `origin`: where the URL is set.
    """

    def __init__(
        self,
        engine: MonitoredEngine,
        url: str,
        log: EventLog,
        language: Language,
        origin: str = "LLM_URL",
        up_interval_s: float = ENGINE_UP_INTERVAL_S,
        down_interval_s: float = ENGINE_DOWN_INTERVAL_S,
    ) -> None:
        self._engine = engine
        self._url = without_credentials(url)
        self._log = log
        self._language = language
        self._origin = origin
        self._up_interval_s = up_interval_s
        self._down_interval_s = down_interval_s
        self._reported: str | None = None  # the problem of the last report

    async def run(self) -> None:
        """Runs until cancelled. It polls: an engine does not announce that it comes or goes."""
        while True:
            problem = await self._check()
            await asyncio.sleep(self._up_interval_s if problem is None else self._down_interval_s)

    async def _check(self) -> str | None:
        """Returns the engine's problem, and reports it if it is a new one. None: the engine answers."""
        try:
            await self._engine.ready()
            model = (await self._engine.info()).name
        except CspsError as exc:
            problem = explain_cause(exc, self._language)
            if problem != self._reported:
                self._reported = problem
                event = "engine_away" if isinstance(exc, ModelUnavailable) else "engine_unusable"
                self._report(event, "error", problem=problem)
            return problem
        if self._reported is not None:
            self._reported = None
            self._report("engine_back", "info", model=model)
        return None

    def _report(self, event: str, level: str, **values: object) -> None:
        message = text(f"cli-up-{event}", self._language, url=self._url, origin=self._origin, **values)
        self._log.write_event(event, message, level=level, url=self._url, **values)
