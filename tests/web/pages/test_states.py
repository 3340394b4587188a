"""The accessibility of every state of the page: both languages, light and dark, a desktop's window and a phone's."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import product
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]
from playwright.async_api import Browser, Page, ViewportSize, expect

from core.configuration.settings import Settings
from core.contract import LANGUAGES, Language
from tests.web.pages.support_states import DESKTOP, PHONE, STATES, State, staged

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="package")]  # the browser lives in that loop

VISITS_AT_ONCE = 3
EVERYTHING = {"resultTypes": ["violations"]}
COLOURS = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "rule", "values": ["color-contrast"]},
}  # of the other theme
NARROW: ViewportSize = {"width": 320, "height": 640}  # CSS pixels; 1280 pixels at 400 %
# As WCAG 1.4.12 asks for.
SPACING = "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }"
ADD_STYLE = """(text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    document.adoptedStyleSheets.push(sheet);
}"""

# Controls that are too small to touch, or whose border is too faint, or that stand out of the window.
FAULTS = """() => {
    const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const isClear = (colour) => (numbers(colour)[3] ?? 1) === 0;
    const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    const channel = (value) => linear(value / 255);
    const light = (colour) => {
        const [red, green, blue] = numbers(colour).map(channel);
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const contrast = (one, other) => {
        const [darker, lighter] = [light(one), light(other)].sort((a, b) => a - b);
        return (lighter + 0.05) / (darker + 0.05);
    };
    const behind = (element) => {
        for (let each = element; each; each = each.parentElement) {
            const { backgroundColor } = getComputedStyle(each);
            if (!isClear(backgroundColor)) return backgroundColor;
        }
        return 'rgb(255, 255, 255)';
    };
    const top = document.querySelector('dialog:modal') ?? document.body;
    const isInline = (each) => each.matches('a') && getComputedStyle(each).display === 'inline';
    const isControl = (each) => !each.matches('.unseen, .skip') && !isInline(each);
    const controls = [...top.querySelectorAll('a, button, input, select, textarea, summary')]
        .filter((each) => each.checkVisibility({ visibilityProperty: true }) && isControl(each));
    const faults = [];
    for (const each of controls) {
        const { width, height } = each.getBoundingClientRect();
        const style = getComputedStyle(each);
        const hasBorder = parseFloat(style.borderTopWidth) > 0 && !isClear(style.borderTopColor);
        const name = each.outerHTML.slice(0, 80);
        const least = each.matches('[type=radio], [type=checkbox]') ? 20 : 24; // their label is part of the target
        if (width < least || height < least) faults.push(`small: ${width} x ${height} ${name}`);
        if (hasBorder && contrast(style.borderTopColor, behind(each.parentElement)) < 3) faults.push(`faint: ${name}`);
    }
    const { scrollWidth } = document.documentElement;
    if (scrollWidth > innerWidth) faults.push(`wide: ${scrollWidth} of ${innerWidth}`);
    return faults;
}"""


async def test_every_state_is_accessible(browser: Browser, own_settings: Settings) -> None:
    """axe finds nothing, also where colours are forced; controls have 24 px and a visible border; lines are not cut."""
    places = asyncio.Semaphore(VISITS_AT_ONCE)
    found: dict[str, list[str]] = {}

    async def visit(state: State, languages: Sequence[Language]) -> None:
        async with places, staged(state, browser, own_settings, languages[0], viewport=DESKTOP) as stage:
            await stage.page.evaluate(AXE_SCRIPT)
            for language in languages:
                faults = await inspect(stage.page, state, language)
                if faults:
                    found[f"{state.name}, {language}"] = faults

    async with asyncio.TaskGroup() as visits:
        for each in STATES:
            for languages in visits_of(each):
                visits.create_task(visit(each, languages))

    assert found == {}


def visits_of(state: State) -> Sequence[Sequence[Language]]:
    """The languages of each visit to a state."""
    if state.languages == "switched":
        return [LANGUAGES]
    return [(language,) for language in LANGUAGES[: 1 if state.languages == "both" else None]]


async def inspect(page: Page, state: State, language: Language) -> list[str]:
    """The faults of a state in one language."""
    await switch(page, language)
    faults = []
    media: Any = "screen" if state.is_screen else "print"
    themes: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
    for viewport, theme in product((DESKTOP, PHONE), themes):
        if theme == "light":
            await page.set_viewport_size(viewport)
            await settle(page, state)
        await page.emulate_media(media=media, color_scheme=theme, forced_colors="none")
        options = EVERYTHING if theme == "light" and state.is_screen else COLOURS
        faults += [f"{viewport['width']} {theme}: {each}" for each in await problems(page, options)]
    await page.emulate_media(media=media, color_scheme="light", forced_colors="active")
    faults += [f"forced colours: {each}" for each in await problems(page, COLOURS)]
    return faults + await narrow_faults(page, state)


async def narrow_faults(page: Page, state: State) -> list[str]:
    """With 320 CSS pixels and the widest spacing that people may set."""
    await page.set_viewport_size(NARROW)
    await settle(page, state)
    await page.evaluate(ADD_STYLE, SPACING)
    faults = await page.evaluate(FAULTS)
    await page.evaluate("() => document.adoptedStyleSheets.pop()")
    return [f"320 px, spaced: {each}" for each in faults]


async def settle(page: Page, state: State) -> None:
    if state.settle:
        await state.settle(page)


async def switch(page: Page, language: Language) -> None:
    """Presses the button of the other language, also behind a dialog."""
    if await page.locator("html").get_attribute("lang") != language and await page.locator("#language").count():
        await page.locator("#language").evaluate("(button) => button.click()")
        await expect(page.locator("html")).to_have_attribute("lang", language)


async def problems(page: Page, options: dict[str, Any]) -> list[str]:
    violations = await page.evaluate("async (options) => (await axe.run(options)).violations", options)
    found = [f"{each['id']}: {node['html'][:200]}" for each in violations for node in each["nodes"]]
    return [*found, *await page.evaluate(FAULTS)]
