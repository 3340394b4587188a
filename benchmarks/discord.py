"""Measures the Discord adapter: CPU time for each streamed edit, and the memory of its process.

    .venv/bin/python -m benchmarks.discord [EDITS]

The tests' Discord server runs in its own process, so its work does not count. For the memory, the bot starts as in the
Procfile and ends by SIGTERM.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from discord.http import Route

from bindings.delivery.outlet import Page
from bindings.discord.adapter import DiscordAdapter
from bindings.discord.mapping import ChannelContext, parse_message
from bindings.metrics import BotMetrics
from bindings.selftest.discord_payloads import ME, payload
from bindings.selftest.discord_server import TOKEN, FakeDiscord
from core.configuration import settings

TEXT = "A line with **bold**, `code`, a [link](https://example.ca/page) and more words.\n\n"
PAGE_CHARS = 1700


async def serve() -> None:
    """Runs a fake Discord, and prints its addresses."""
    async with FakeDiscord().serve() as fake:
        question = payload("message_mention")
        fake.messages[question["id"]] = question
        print(fake.base, fake.gateway_url, flush=True)
        await asyncio.Event().wait()


async def measure_edit(base: str, edits: int) -> float:
    """Returns the CPU time of one edit in milliseconds: rendering, the call and its answer."""
    environ = {"DISCORD_BOT_TOKEN": TOKEN, "DISCORD_API_BASE_URL": base}
    adapter = DiscordAdapter(settings.load(environ), BotMetrics())
    assert base == Route.BASE
    await adapter.client.login(TOKEN)
    incoming = parse_message(payload("message_mention"), ChannelContext(ME["id"]))
    assert incoming is not None
    outlet = adapter.platform.outlet(incoming)
    ref = await outlet.post(Page("…", "en"), "benchmark-1")
    text = (TEXT * 40)[:PAGE_CHARS]
    started = time.process_time()
    for number in range(edits):
        page = Page(text[: PAGE_CHARS * (number + 1) // edits], "en")
        assert outlet.length(page) <= outlet.limits.page_chars
        await outlet.edit(ref, page)
    spent_ms = (time.process_time() - started) * 1000 / edits
    await adapter.close()
    return spent_ms


async def measure_memory(base: str, gateway: str) -> tuple[float, int]:
    """Returns the peak memory of a connected bot in MB, and its exit code after SIGTERM."""
    with TemporaryDirectory() as folder:
        environ = {
            **os.environ,
            "CSPS_LLM_DATA": folder,
            "DISCORD_BOT_TOKEN": TOKEN,
            "DISCORD_API_BASE_URL": base,
            "DISCORD_GATEWAY_URL": gateway,
            "DISCORD_PORT": "0",
            "LOG_FORMAT": "json",
        }
        bot = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bindings.discord", env=environ, stderr=asyncio.subprocess.PIPE
        )
        assert bot.stderr is not None
        while b"gateway_connected" not in (line := await bot.stderr.readline()):
            assert line, "the bot ended"
        resident_mb = read_peak_mb(bot.pid)
        bot.terminate()
        await bot.stderr.read()
        return resident_mb, await bot.wait()


def read_peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


async def main(edits: int) -> None:
    discord = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.discord", "serve", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert discord.stdout is not None
        base, gateway = (await discord.stdout.readline()).decode().split()
        resident_mb, code = await measure_memory(base, gateway)
        print(f"memory of the process: {resident_mb:.0f} MB at most (exit code {code})")
        print(f"CPU per edit: {await measure_edit(base, edits):.2f} ms over {edits} edits")
    finally:
        discord.terminate()
        await discord.wait()


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        asyncio.run(serve())
    else:
        asyncio.run(main(int(sys.argv[1]) if sys.argv[1:] else 500))
