"""Accessibility of the page: both languages, keyboard, screen readers, colours, small screens."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Page, expect

from core.contract import Text
from core.errors import ModelUnavailable
from tests.support.fake_engine import ReplyStep
from tests.web.pages.support_list import ask_to_delete
from tests.web.pages.support_visit import DONE, Visiting

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop


async def test_the_whole_interface_changes_its_language(visiting: Visiting) -> None:
    """Every string, the title and the page's `lang` change, also after a reload. Messages keep their language."""
    async with visiting([Text("Sure. "), DONE]) as visit:
        await visit.ask("first")
        await visit.wait_for_answer()
        await visit.page.get_by_role("button", name="Français").click()
        for _ in ("at once", "after a reload"):
            await expect(visit.page.locator("html")).to_have_attribute("lang", "fr")
            await expect(visit.page).to_have_title("Whisper – Clavardage avec l’IA")
            await expect(visit.page.locator("#description")).to_have_text("À propos de whisper")
            await expect(visit.page.locator(".question h3")).to_have_text("Vous")
            await expect(visit.page.locator(".answer .body").last).to_have_attribute("lang", "en")
            untranslated = await visit.page.evaluate(
                """async () => {
                    const { loadTexts, text } = await import('/static/interface/texts.js');
                    await loadTexts('fr');
                    const fixed = (key, language) => {
                        try {
                            return text(key, language);
                        } catch {
                            return null; // it has arguments
                        }
                    };
                    return [...document.querySelectorAll('[data-text], [data-label]')].filter((e) => {
                        const shown = e.dataset.label ? e.getAttribute('aria-label') : e.textContent;
                        const expected = fixed(e.dataset.label ?? e.dataset.text, 'fr');
                        return expected !== null && shown !== expected;
                    }).map((e) => e.outerHTML);
                }"""
            )
            assert untranslated == []
            await visit.open()


async def test_a_french_browser_gets_french(visiting: Visiting) -> None:
    """The browser's language decides if the person made no choice. Every element with a text key shows a text."""
    async with visiting([DONE], locale="fr-CA") as visit:
        await expect(visit.page.locator("html")).to_have_attribute("lang", "fr")
        await expect(visit.page.locator("#title")).to_have_text("Chuchotte")
        empty = await visit.page.locator("[data-text]").evaluate_all(
            "all => all.filter(e => !e.textContent.trim()).map(e => e.outerHTML)"
        )
        assert empty == []


async def test_everything_works_by_keyboard(visiting: Visiting) -> None:
    """Tab reaches every control, the skip link leads to the question, Shift+Enter adds a line, and Enter sends."""
    async with visiting([Text(f"```\n{'code ' * 60}\n```"), DONE]) as visit:
        keyboard = visit.page.keyboard
        for control in ("#attach", "#dictate", "#shortcuts", "#send"):
            await keyboard.press("Tab")
            await expect(visit.page.locator(control)).to_be_focused()
        await visit.page.locator("#question").focus()
        await expect(visit.page.locator(".side footer")).to_be_visible()
        starters = [f"#suggestions li:nth-child({at}) button" for at in (3, 2, 1)]
        header = ("#language", "#settings", "#new", "#personality", "#conversations")
        links = [f".introduction a[href='./{path}']" for path in ("toil", "about/privacy", "about/accessibility")]
        for control in ("#question", *links, *starters, ".side .head button", *header, ".skip"):
            await expect(visit.page.locator(control)).to_be_focused()
            await keyboard.press("Shift+Tab")
        await keyboard.press("Tab")
        await expect(visit.page.locator(".skip")).to_be_in_viewport()
        await keyboard.press("Enter")
        await keyboard.type("one")
        await keyboard.press("Shift+Enter")
        await keyboard.type("two")
        await keyboard.press("Enter")

        await visit.wait_for_answer()
        assert [prompt.text for prompt in visit.engine.prompts] == ["one\ntwo"]
        for action in ("Answer again", "Details", "Not helpful", "Helpful", "Copy", "Copy code"):
            await keyboard.press("Shift+Tab")
            await expect(visit.page.get_by_role("button", name=action, exact=True)).to_be_focused()
        await keyboard.press("Shift+Tab")
        await expect(visit.page.locator("pre")).to_be_focused()  # focusable, so that the keyboard can scroll it


RICH = (
    "## Head\n\ntext `code` [link](https://a.example/)\n\n1. a\n   - b\n\n| x | y |\n|---|--:|\n| 1 | 2 |\n\n> said\n\n"
)
WIDE = f"```\n{'wide ' * 60}\n```\n\n{'unbroken' * 40}\n\n| {' | '.join(['column'] * 12)} |\n|{'---|' * 12}\n"


@pytest.mark.parametrize(
    "options",
    [
        {"color_scheme": "light"},
        {"color_scheme": "dark"},
        {"locale": "fr-CA", "viewport": {"width": 320, "height": 640}},
        {"forced_colors": "active"},
    ],
    ids=["light", "dark", "french", "forced colours"],
)
async def test_axe_finds_no_violation(visiting: Visiting, options: dict[str, Any]) -> None:
    """The page is checked when empty, during an answer, after it, with an error, and with the dialog open."""
    more = asyncio.Event()
    outcomes: list[list[ReplyStep]] = [[Text(RICH + WIDE), more, DONE], [ModelUnavailable("away", retry_after_s=5)]]
    async with visiting(lambda _: outcomes.pop(0), reduced_motion="reduce", **options) as visit:
        problems = await violations(visit.page)
        await visit.ask("rich")
        await expect(visit.page.locator(".answer pre")).to_be_visible()
        problems += await violations(visit.page)
        more.set()
        await visit.wait_for_answer()
        await visit.ask("fail")
        await expect(visit.page.locator(".error")).to_be_visible()
        problems += await violations(visit.page)
        await ask_to_delete(visit.page)
        problems += await violations(visit.page)

        assert problems == []


async def violations(page: Page) -> list[str]:
    results = await Axe().run(page)
    return [
        f"{violation['id']}: {node['html']} {node.get('failureSummary', '')}"
        for violation in results.response["violations"]
        for node in violation["nodes"]
    ]


PHONE, AT_400_PERCENT, AT_200_PERCENT = (320, 640), (320, 256), (640, 450)


async def test_no_page_needs_horizontal_scrolling(visiting: Visiting) -> None:
    """Wide code, tables and words scroll or break by themselves; controls stay large enough to touch."""
    async with visiting([Text(RICH + WIDE), DONE]) as visit:
        page = visit.page
        await visit.ask("unbroken" * 40)
        await visit.wait_for_answer()
        for width, height in (PHONE, AT_400_PERCENT, AT_200_PERCENT):
            await page.set_viewport_size({"width": width, "height": height})

            assert await page.evaluate("() => document.documentElement.scrollWidth") <= width
            boxes = [
                await control.bounding_box() for control in await page.locator("button:visible, select:visible").all()
            ]
            assert [box for box in boxes if box is None or min(box["width"], box["height"]) < 24] == []


@pytest.mark.parametrize("locale", ["en-CA", "fr-CA"])
async def test_a_small_screen_leaves_room_for_reading(visiting: Visiting, locale: str) -> None:
    """The composer covers under a quarter, a long question uses the whole width, and the dialog has margins."""
    async with visiting([Text(RICH * 9), DONE], locale=locale, viewport={"width": 390, "height": 844}) as visit:
        page = visit.page
        await expect(page.locator(".introduction .notice")).to_contain_text("fake-model")
        await expect(page.locator(".introduction .notice")).to_be_in_viewport(ratio=1)
        await visit.ask("first")
        await visit.wait_for_answer()
        await expect(page.locator("#hint")).to_contain_text("fake-model")
        await expect(page.locator("#hint")).to_be_in_viewport(ratio=1)
        assert await height(page, "#composer") < 844 / 4
        await page.locator("#question").fill("word " * 200)
        assert await width(page, "#question") > 0.9 * await width(page, ".field")
        await ask_to_delete(page)
        assert await width(page, "#confirm") <= 390 - 2 * 16


async def width(page: Page, selector: str) -> float:
    box = await page.locator(selector).bounding_box()
    assert box is not None
    return box["width"]


async def height(page: Page, selector: str) -> float:
    box = await page.locator(selector).bounding_box()
    assert box is not None
    return box["height"]


async def test_a_small_screen_begins_at_the_top(visiting: Visiting) -> None:
    """The personality's title is visible first. The button to the latest message is hidden before a question."""
    async with visiting([DONE], viewport={"width": 320, "height": 400}) as visit:
        await expect(visit.page.locator("#title")).to_be_in_viewport(ratio=1)
        await expect(visit.page.locator("#latest")).to_be_hidden()


async def test_interface_texts_in_an_answer_have_their_own_language(visiting: Visiting) -> None:
    """Screen readers pronounce by `lang`: a link's hint is in the interface's language, a cell in the answer's."""
    wide = "wide" * 60
    answer = f"[Canada](https://canada.ca)\n\n| a |\n|---|\n| {wide} |\n\n```\n{wide}\n```\n"
    async with visiting([Text(answer), DONE]) as visit:
        await visit.ask("first")
        await visit.wait_for_answer()
        await visit.page.get_by_role("button", name="Français").click()
        languages = await visit.page.locator(".answer .body").last.evaluate(
            """body => ['.unseen', 'div.wide', 'td', 'pre', 'code']
                .map((each) => body.querySelector(each).closest('[lang]').lang)"""
        )

        assert ["fr", "fr", "en", "fr", "en"] == languages


async def test_an_error_is_in_the_language_of_the_question(visiting: Visiting) -> None:
    """The page's own texts around it follow the interface's current language."""
    fails = asyncio.Event()
    async with visiting([fails, ModelUnavailable("away")]) as visit:
        await visit.ask("please")
        await expect(visit.page.locator("#stop")).to_be_visible()
        await visit.page.get_by_role("button", name="Français").click()
        fails.set()
        error = visit.page.locator(".error")
        await expect(error.locator("strong")).to_have_text("Sans réponse.")

        assert ["fr", "en"] == await error.get_by_role("alert").evaluate(
            "reason => [...reason.children].map((each) => each.lang)"
        )


async def test_a_notice_stays_while_the_answer_grows(visiting: Visiting) -> None:
    """Later text of the answer does not replace a notice in the status line."""
    more = asyncio.Event()
    async with visiting([Text("One "), more, *[Text(f"{number} ") for number in range(50)], DONE]) as visit:
        await visit.ask("first")
        await expect(visit.page.locator(".answer .body").last).to_have_text("One")
        await visit.page.evaluate(
            """() => {
                globalThis.shown = [];
                const status = document.querySelector('#status');
                const note = () => globalThis.shown.push(status.textContent);
                new MutationObserver(note).observe(status, { childList: true });
            }"""
        )
        await visit.ask("too early")
        more.set()
        await visit.wait_for_answer()

        shown = await visit.page.evaluate("() => globalThis.shown")
        assert ["An answer is being written", "The answer is complete"] == [re.split("[.:]", each)[0] for each in shown]
