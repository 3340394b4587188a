"""Takes a picture of every state of the page: both languages, light and dark, a desktop's window and a phone's.

    .venv/bin/python -m benchmarks.screenshots [--folder build/screenshots] [--state answered] [--quick]

The states are those of the accessibility matrix (`tests/web/pages/support_states.py`), served by the real web app with
a scripted engine. `--quick` takes two pictures of each: English on a desktop, and French, dark, on a phone.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import shutil
import tempfile
from itertools import product
from pathlib import Path
from typing import Any

import structlog
from playwright.async_api import Browser, async_playwright

from core.configuration.settings import Settings, load
from core.contract import LANGUAGES, Language
from tests.web.pages.support_states import DESKTOP, PHONE, STATES, State, staged

FOLDER = Path("build/screenshots")  # not in git
AT_ONCE = 2
WINDOWS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": DESKTOP},
    "phone": {"viewport": PHONE, "has_touch": True, "is_mobile": True},
}
Look = tuple[Language, str, str]  # language, theme, window
EVERY: tuple[Look, ...] = tuple(product(LANGUAGES, ("light", "dark"), WINDOWS))
QUICK: tuple[Look, ...] = (("en", "light", "desktop"), ("fr", "dark", "phone"))


async def take(browser: Browser, own: Settings, state: State, look: Look, folder: Path) -> None:
    language, theme, window = look
    async with staged(state, browser, own, language, color_scheme=theme, **WINDOWS[window]) as stage:
        if state.settle:
            await state.settle(stage.page)
        name = "-".join([*state.name.split(), language, theme, window])
        await stage.page.screenshot(path=folder / f"{name}.png", animations="disabled")


async def run(arguments: argparse.Namespace) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    arguments.folder.mkdir(parents=True, exist_ok=True)
    states = [each for each in STATES if not arguments.state or each.name in arguments.state]
    places = asyncio.Semaphore(AT_ONCE)
    own = load({"CSPS_LLM_DATA": tempfile.mkdtemp()})
    async with async_playwright() as playwright:
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)

        async def take_one(state: State, look: Look) -> None:
            async with places:
                await take(browser, own, state, look, arguments.folder)

        async with asyncio.TaskGroup() as pictures:
            for state, look in product(states, QUICK if arguments.quick else EVERY):
                pictures.create_task(take_one(state, look))
        await browser.close()
    print(f"{len(list(arguments.folder.glob('*.png')))} pictures in {arguments.folder}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument(
        "--state", action="append", help=f"only this one; repeatable: {', '.join(s.name for s in STATES)}"
    )
    parser.add_argument("--quick", action="store_true", help="two pictures of each state")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
