"""`python -m benchmarks.first_view`: the first and the repeat visit to the page, on a slow processor and a slow line.

Prints, for each, the requests, the bytes and the time until the field takes a question. The engine is a stand-in.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile

from playwright.async_api import Browser, Page, async_playwright

from core.configuration.settings import load
from tests.support.fake_engine import FakeEngine
from tests.web.pages.support_visit import serving

CPU_SLOWDOWN = 4
SLOW_LINE = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 90_000}  # bytes/s
READY = "() => document.querySelector('#trouble')?.hidden && document.querySelectorAll('#messages > li').length > 0"
ENTRIES = """() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    .map(({ decodedBodySize, transferSize }) => [decodedBodySize, transferSize])"""


async def visit(page: Page, url: str) -> str:
    await page.goto(url, wait_until="commit")
    await page.wait_for_function(READY, polling="raf")
    ready_ms = await page.evaluate("performance.now()")
    entries = await page.evaluate(ENTRIES)
    over_line = [transferred for _, transferred in entries if transferred]
    kilobytes = sum(size for size, _ in entries) / 1000
    return (
        f"{len(entries)} files, {len(over_line)} requests, {kilobytes:.0f} kB, "
        f"{sum(over_line) / 1000:.0f} kB on the line, usable after {ready_ms / 1000:.2f} s"
    )


async def measure(browser: Browser, url: str, *, slow_line: bool) -> None:
    context = await browser.new_context(locale="en-CA")
    page = await context.new_page()
    devtools = await context.new_cdp_session(page)
    await devtools.send("Emulation.setCPUThrottlingRate", {"rate": CPU_SLOWDOWN})
    if slow_line:
        await devtools.send("Network.emulateNetworkConditions", SLOW_LINE)
    for name in ("first", "repeat"):
        print(f"{'slow' if slow_line else 'fast'} line, {name} visit: {await visit(page, url)}")
    await context.close()


async def main() -> None:
    settings = load({"CSPS_LLM_DATA": tempfile.mkdtemp()})
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with serving(FakeEngine(), settings) as port, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=options)
        for slow_line in (False, True):
            await measure(browser, f"http://127.0.0.1:{port}/", slow_line=slow_line)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
