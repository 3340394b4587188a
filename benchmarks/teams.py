"""What the Teams adapter costs by itself: CPU time for each streamed part and each update, and the memory of a process.

`python -m benchmarks.teams`. Microsoft's side is a process of its own, so that its work is not counted.
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

import bindings.hosting.process  # noqa: F401 (a process of the bot has all of it in memory)
from bindings.delivery.outlet import Closing, Page
from bindings.incoming import IncomingMessage, Place
from bindings.metrics import BotMetrics
from bindings.teams.adapter import build
from core.configuration import settings
from tests.bindings.teams.support_fake_microsoft import FakeMicrosoft

EDITS = 500
WORDS = "The **deliverable** costs `x < 5` and is due on Friday [1]; see [the guide](https://example.gc.ca/g). "


def microsoft(told: Connection) -> None:
    async def serve() -> None:
        async with FakeMicrosoft().serving() as fake:
            told.send(fake.environ)
            await asyncio.Event().wait()

    asyncio.run(serve())


@asynccontextmanager
async def elsewhere() -> AsyncIterator[dict[str, str]]:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=microsoft, args=(there,), daemon=True)
    process.start()
    try:
        yield await asyncio.to_thread(here.recv)
    finally:
        process.terminate()


def incoming(kind: Any, login_url: str) -> IncomingMessage:
    service_url = login_url.rpartition("/")[0] + "/amer/"
    conversation = "a:chat" if kind == "personal" else "19:c@thread.tacv2;messageid=1"
    route = {"service_url": service_url, "conversation": conversation, "bot": "28:b", "bot_name": "B", "person": "29:p"}
    return IncomingMessage("teams:e", Place("teams", "t", conversation, None, kind, route), "1", "p", "Hello?")


async def measure(adapter: Any, kind: str, login_url: str) -> float:
    """Milliseconds of CPU for each edit."""
    outlet = adapter.platform.outlet(incoming(kind, login_url))
    text = WORDS
    ref = await outlet.post(Page(text, "en"), "n")
    started = time.process_time()
    for number in range(EDITS):
        text = (text + WORDS) if len(text) < 8000 else WORDS + "\n" * (number % 2)
        await outlet.edit(ref, Page(text, "en"))
        if kind == "personal" and len(text) > 8000:
            await outlet.edit(ref, Page(text, "en", final=True, closing=Closing("a", "Model: x")))
            text = WORDS
            ref = await outlet.post(Page(text, "en"), "n")
    return (time.process_time() - started) / EDITS * 1000


async def main() -> None:
    with TemporaryDirectory() as folder:
        async with elsewhere() as environ:
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
