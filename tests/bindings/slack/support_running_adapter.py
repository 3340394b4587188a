"""A connected adapter in Socket Mode."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bindings.metrics import BotMetrics
from bindings.selftest.slack_server import FakeSlack
from bindings.slack.adapter import SlackAdapter
from bindings.slack.sockets import SocketTimings
from core.runtime.backoff import Backoff
from tests.bindings.slack.support_fakes import FakeIntake, payload, settings

QUICK = SocketTimings(backoff=Backoff(0.01, 0.02))


@asynccontextmanager
async def run_adapter(slack: FakeSlack, intake: FakeIntake) -> AsyncIterator[SlackAdapter]:
    """Runs a connected adapter in Socket Mode."""
    adapter = SlackAdapter(settings(slack, sockets=True), BotMetrics(), QUICK)
    await adapter.connect(intake)  # type: ignore[arg-type]
    running = asyncio.create_task(adapter.run())
    await slack.connected.wait()
    try:
        yield adapter
    finally:
        running.cancel()
        await asyncio.wait({running})
        await adapter.close()


async def deliver(slack: FakeSlack, name: str, kind: str = "events_api", **changes: Any) -> dict[str, Any]:
    """Sends a payload over the socket. Returns its acknowledgement."""
    return await slack.acknowledgement(await slack.push({**payload(name), **changes}, kind))
