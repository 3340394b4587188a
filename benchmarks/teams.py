"""Measures the Teams adapter: CPU time for each streamed part and each update, and peak memory.

Run `python -m benchmarks.teams`. FakeMicrosoft runs in another process, so its work is not counted.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import bindings.hosting.process  # noqa: F401 (a bot's process has it in memory)
from bindings.delivery.outlet import Closing, Page
from bindings.incoming import IncomingMessage, Place
from bindings.metrics import BotMetrics
from bindings.selftest.microsoft_server import FakeMicrosoft
from bindings.teams.adapter import build
from core.configuration import settings

EDITS = 500
SENTENCE = "The **deliverable** costs `x < 5` and is due on Friday [1]; see [the guide](https://example.gc.ca/g). "


def run_microsoft(connection: Connection) -> None:
    async def serve() -> None:
        async with FakeMicrosoft().serving() as fake:
            connection.send(fake.environ)
            await asyncio.Event().wait()

    asyncio.run(serve())


@asynccontextmanager
async def microsoft_process() -> AsyncIterator[dict[str, str]]:
    receiver, sender = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=run_microsoft, args=(sender,), daemon=True)
    process.start()
    try:
        yield await asyncio.to_thread(receiver.recv)
    finally:
        process.terminate()


def incoming(kind: Any, login_url: str) -> IncomingMessage:
    service_url = login_url.rpartition("/")[0] + "/amer/"
    conversation = "a:chat" if kind == "personal" else "19:c@thread.tacv2;messageid=1"
    route = {"service_url": service_url, "conversation": conversation, "bot": "28:b", "bot_name": "B", "person": "29:p"}
    return IncomingMessage("teams:e", Place("teams", "t", conversation, None, kind, route), "1", "p", "Hello?")


async def measure(adapter: Any, kind: str, login_url: str) -> float:
    """Returns milliseconds of CPU time for each edit."""
    outlet = adapter.platform.outlet(incoming(kind, login_url))
    text = SENTENCE
    ref = await outlet.post(Page(text, "en"), "n")
    started_s = time.process_time()
    for number in range(EDITS):
        text = (text + SENTENCE) if len(text) < 8000 else SENTENCE + "\n" * (number % 2)
        await outlet.edit(ref, Page(text, "en"))
        if kind == "personal" and len(text) > 8000:
            await outlet.edit(ref, Page(text, "en", final=True, closing=Closing("a", "Model: x")))
            text = SENTENCE
            ref = await outlet.post(Page(text, "en"), "n")
    return (time.process_time() - started_s) / EDITS * 1000


async def main() -> None:
    with TemporaryDirectory() as folder:
        async with microsoft_process() as environ:
            loaded = settings.load({"CSPS_LLM_DATA": str(Path(folder)), **environ})
            adapter = build(loaded, BotMetrics())
            for kind, name in (("personal", "streamed part"), ("channel", "update")):
                cost_ms = await measure(adapter, kind, environ["TEAMS_LOGIN_URL"])
                sys.stdout.write(f"{name}: {cost_ms:.2f} ms CPU\n")
            await adapter.close()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"memory: {peak_mb:.0f} MB at its peak\n")


if __name__ == "__main__":
    asyncio.run(main())
