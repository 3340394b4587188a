"""Measures how long answers block the page: the longest task of its main thread, on a processor slowed four times.

    .venv/bin/python -m benchmarks.page [--slowdown 4] [--case table] [--turns 200]

Each answer is streamed by the real web app to a real Chromium, in pieces of a few characters, and then all of them
are restored at once. The browser reports tasks above 50 ms. Targets: none for long answers, and none above 100 ms for
hostile ones. `--turns` measures the page's memory while that many short turns are added: it must stay flat.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from playwright.async_api import Browser, CDPSession, Page, async_playwright, expect
from rich.console import Console
from rich.table import Table

from core.configuration import settings as settings_module
from core.contract import Text
from tests.support.fake_engine import FakeEngine, ReplyStep
from tests.web.pages.support_visit import DONE, Visit, serving

WITHIN_S = 240
WORDS = "Employees may ask for **leave** when the rules of their `agreement` allow it, and the manager decides. "
PROSE = "\n\n".join(f"## Part {n}\n\n{WORDS * 4}\n\n- {WORDS}\n- {WORDS}" for n in range(70))
LONG = {
    "table": "| Name | Amount | Note |\n|---|--:|---|\n"
    + "".join(f"| Row {n} | {n * 7} | **ok** |\n" for n in range(2000)),
    "list": "".join(f"- Item {n} of a *long* list\n" for n in range(3000)),
    "prose": PROSE,
    "code": "```python\n" + "".join(f"value_{n} = compute({n}, 'text')  # note\n" for n in range(3000)) + "```\n",
}
HOSTILE = {
    "unclosed emphasis": "*_a" * 16_000,
    "unclosed brackets": "[a" * 10_000,
    "unclosed links": "[a](b" * 10_000,
    "unclosed code": "`a ``b " * 5_000,
    "nested quotes": "> " * 3_000 + "a",
    "deep quotes": "\n".join(f"{'> ' * depth}a" for depth in range(1, 300)),
    "nested lists": "\n".join(f"{'  ' * depth}- a" for depth in range(300)),
    "lists in a line": "- " * 3_000 + "a",
    "images": "![a](" * 10_000,
    "one line": "word " * 200_000,
    "one word": "w" * 1_000_000,
    "headings": "# a\n" * 3_000,
    "wide table": f"|{'a|' * 1000}\n|{'-|' * 1000}\n" + f"|{'b|' * 1000}\n" * 5,
}
LIMITS_MS = {**dict.fromkeys([*LONG, "all restored"], 50), **dict.fromkeys(HOSTILE, 100)}
WATCH = """(words) => {
    globalThis.tasks = [];
    const observer = new PerformanceObserver((list) => {
        globalThis.tasks.push(...list.getEntries().map((entry) => entry.duration));
    });
    observer.observe({ type: 'longtask' });
    // A promise instead of Playwright's polling, whose own tasks are long on a slow processor.
    globalThis.done = new Promise((resolve) => {
        const isDone = () => document.querySelector('#status')?.textContent.startsWith(words);
        const look = () => isDone() && setTimeout(resolve, 1000);
        new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
    });
}"""


@dataclass(frozen=True, slots=True)
class Blocking:
    """The tasks above 50 ms while an answer came."""

    longest_ms: float
    count: int


def pieces(text: str) -> list[ReplyStep]:
    """Cuts a text as a model would write it, but never into more than 3,000 pieces."""
    size = max(5, len(text) // 3000)
    return [Text(text[start : start + size]) for start in range(0, len(text), size)]


async def slow_down(page: Page, rate: float) -> CDPSession:
    client = await page.context.new_cdp_session(page)
    await client.send("Emulation.setCPUThrottlingRate", {"rate": rate})
    return client


async def blocking(page: Page) -> Blocking:
    """Waits for the end that WATCH was given, and returns the long tasks until then."""
    tasks = await asyncio.wait_for(page.evaluate("() => globalThis.done.then(() => globalThis.tasks)"), WITHIN_S)
    return Blocking(max(tasks, default=0.0), len(tasks))


async def streamed(page: Page, name: str) -> Blocking:
    await page.locator("#question").fill(name)
    await page.locator("#question").focus()
    await page.evaluate(f"({WATCH})('The answer is complete')")
    await page.keyboard.press("Enter")
    return await blocking(page)


async def restored(page: Page) -> Blocking:
    await page.add_init_script(f"({WATCH})('Your conversation was restored.')")
    await page.reload()
    return await blocking(page)


async def measure_blocking(browser: Browser, cases: Sequence[str], rate: float) -> dict[str, Blocking]:
    texts = {**LONG, **HOSTILE}
    engine = FakeEngine(lambda prompt: [*pieces(texts[prompt.text]), DONE])
    results = {}
    async with serving(engine, settings_module.load()) as port:
        for group in (LONG, HOSTILE):
            page = await (await browser.new_context(locale="en-CA")).new_page()
            visit = Visit.start(page, engine, f"http://127.0.0.1:{port}")
            await visit.open()
            await slow_down(page, rate)
            for name in [each for each in cases if each in group]:
                results[name] = await streamed(page, name)
            if group is LONG and set(LONG) <= set(cases):
                results["all restored"] = await restored(page)
            await page.context.close()
    return results


async def measure_memory(browser: Browser, turns: int) -> list[tuple[int, float, int]]:
    """Returns after some turns: their number, megabytes of the heap after a collection, and elements of the page."""
    engine = FakeEngine([Text(f"{WORDS}\n\n- {WORDS}\n\n```\ncode\n```\n"), DONE])
    rows = []
    async with serving(engine, settings_module.load()) as port:
        page = await (await browser.new_context(locale="en-CA")).new_page()
        visit = Visit.start(page, engine, f"http://127.0.0.1:{port}")
        await visit.open()
        client = await slow_down(page, 1)
        await client.send("Performance.enable")
        for turn in range(1, turns + 1):
            await visit.ask(f"question {turn}")
            await expect(page.locator(".answer")).to_have_count(turn + 1)
            await visit.wait_for_answer()
            if turn % (turns // 5) == 0:
                await client.send("HeapProfiler.collectGarbage")
                counted = (await client.send("Performance.getMetrics"))["metrics"]
                metrics = {each["name"]: each["value"] for each in counted}
                rows.append((turn, metrics["JSHeapUsedSize"] / 1e6, int(metrics["Nodes"])))
    return rows


async def run(arguments: argparse.Namespace) -> None:
    console = Console()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    async with async_playwright() as playwright:
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = await playwright.chromium.launch(executable_path=chromium, args=flags)
        table = Table("answer", "longest task, ms", "tasks above 50 ms", "limit, ms")
        cases = arguments.case or [*LONG, *HOSTILE]
        for name, found in (await measure_blocking(browser, cases, arguments.slowdown)).items():
            table.add_row(name, f"{found.longest_ms:.0f}", str(found.count), str(LIMITS_MS[name]))
        console.print(table)
        if arguments.turns:
            memory = Table("turns", "heap, MB", "nodes")
            for turn, megabytes, nodes in await measure_memory(browser, arguments.turns):
                memory.add_row(str(turn), f"{megabytes:.1f}", str(nodes))
            console.print(memory)
        await browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slowdown", type=float, default=4)
    parser.add_argument("--case", action="append", help="only this answer; repeatable")
    parser.add_argument("--turns", type=int, default=0, help="measure memory over this number of turns")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
