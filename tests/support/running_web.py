"""The real web process of a test, as a child process."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core import PROJECT_ROOT

START_LIMIT_S = 120.0


@asynccontextmanager
async def web_process(environ: dict[str, str], log: list[str]) -> AsyncIterator[str]:
    """Yields the URL. `log`: gets the lines of its log."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "core.runtime.die_with_parent", str(os.getpid()), sys.executable, "-m", "web"),
        cwd=PROJECT_ROOT,
        env=environ,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    url: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def read_log() -> None:
        assert process.stderr
        async for line in process.stderr:
            log.append(line.decode(errors="replace"))
            if not url.done() and (match := re.search(r'"url": ?"(http[^"]+)"', log[-1])):
                url.set_result(match[1])

    reading = asyncio.create_task(read_log())
    try:
        async with asyncio.timeout(START_LIMIT_S):
            yield await url
    finally:
        process.terminate()
        await process.wait()
        await reading
