"""The model on the page: which one answers, a download on its way, and another model that takes over."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from playwright.async_api import expect

from core.contract import Done, ModelProgress, Status, Text, Usage
from tests.support.fake_engine import FakeEngine
from tests.web.pages.support_visit import DONE, Visiting
from tests.web.pages.test_access import violations

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop

GB = 10**9
TAKEN_OVER = "The model has changed: Ministral 3B answers now."
DOWNLOAD = ModelProgress("Ministral 3B", "downloading", GB // 2, 2 * GB, 190.0)
RECORD = """(selector) => {
    globalThis.recorded = [];
    const element = document.querySelector(selector);
    new MutationObserver((all) => {
        for (const { addedNodes } of all) for (const node of addedNodes) globalThis.recorded.push(node.textContent);
    }).observe(element, { childList: true });
}"""


def downloading(**changes: Any) -> FakeEngine:
    """The starter answers, and another model is on its way."""
    engine = FakeEngine()
    engine.model, engine.next_model = "SmolLM2", replace(DOWNLOAD, **changes)
    return engine


async def test_a_download_is_shown_with_the_model_that_answers_meanwhile(visiting: Visiting) -> None:
    """It has percent, size and remaining time, and it grows without a reload."""
    engine = downloading()
    async with visiting(engine) as visit:
        page = visit.page
        await expect(page.locator("#model")).to_contain_text("SmolLM2. It is the demonstration model")
        await expect(page.locator("#next-text")).to_contain_text(
            "Ministral 3B is being downloaded: 25% of 2 GB, about 4 minutes left."
        )
        await expect(page.get_by_role("progressbar", name="Download of Ministral 3B")).to_have_js_property("value", 25)
        engine.next_model = replace(DOWNLOAD, done_bytes=GB, expected_s=41.0)

        await expect(page.locator("#next-text")).to_contain_text("50% of 2 GB, about 50 seconds left")
        await expect(page.locator("#next-bar")).to_have_js_property("value", 50)


@pytest.mark.parametrize(
    "options",
    [
        {"color_scheme": "light"},
        {"color_scheme": "dark"},
        {"forced_colors": "active"},
        {"locale": "fr-CA", "viewport": {"width": 320, "height": 640}},
    ],
    ids=["light", "dark", "forced colours", "small"],
)
@pytest.mark.parametrize("state", ["downloading", "failed"])
async def test_axe_finds_no_violation_during_a_download(
    visiting: Visiting, options: dict[str, Any], state: str
) -> None:
    """Nor is there one after the download failed."""
    async with visiting(downloading(state=state), **options) as visit:
        await expect(visit.page.locator("#next")).to_be_visible()

        assert await violations(visit.page) == []
        width = await visit.page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        assert width <= 0


async def test_the_download_changes_its_language(visiting: Visiting) -> None:
    """The numbers, too, are written as in the other language."""
    async with visiting(downloading(total_bytes=int(2.1 * GB))) as visit:
        await visit.page.get_by_role("button", name="Français").click()

        await expect(visit.page.locator("#next-text")).to_contain_text(
            "téléchargement\u00a0: 23\u00a0% de 2,1\u00a0Go;"
        )
        await expect(visit.page.get_by_role("progressbar", name="Téléchargement de Ministral 3B")).to_be_visible()


async def test_screen_readers_get_each_quarter_of_a_download_once(visiting: Visiting) -> None:
    """The sentence changes every few seconds and is no live region."""
    engine = downloading()
    async with visiting(engine) as visit:
        page = visit.page
        announcement = page.locator("#announcements")
        await expect(page.locator("#next-text")).to_contain_text("25%")
        await expect(announcement).to_be_empty()  # it is read with the page
        await page.evaluate(RECORD, "#announcements")
        for share in (40, 55, 60):
            engine.next_model = replace(DOWNLOAD, done_bytes=2 * GB * share // 100 + 1, expected_s=None)
            await expect(page.locator("#next-text")).to_contain_text(f"{share}%")

        [announced] = await page.evaluate("() => globalThis.recorded")
        assert "55%" in announced
        await expect(
            page.locator("#next-text").locator("xpath=ancestor-or-self::*[@aria-live or @role]")
        ).to_have_count(0)


async def test_an_interrupted_download_promises_no_time(visiting: Visiting) -> None:
    """Its reason is for operators."""
    async with visiting(downloading(expected_s=None, problem="the hub is away")) as visit:
        shown = visit.page.locator("#next-text")

        await expect(shown).to_contain_text("25% of 2 GB so far. The download is interrupted, and continues by itself.")
        await expect(shown).not_to_contain_text("hub")


async def test_the_page_names_the_model_that_takes_over(visiting: Visiting) -> None:
    """Every tab does so without a reload, in the introduction and in the conversation, which goes on."""
    engine = downloading()
    async with visiting(engine) as visit, visiting(engine) as other:
        page = visit.page
        await visit.ask("first")
        await visit.wait_for_answer()
        engine.model, engine.starter, engine.next_model = "Ministral 3B", False, None

        await expect(page.locator("#model")).to_have_text("Model that answers: Ministral 3B.")
        await expect(page.locator("#next")).to_be_hidden()
        await expect(page.locator("#messages > .note")).to_have_text(TAKEN_OVER)
        await expect(page.locator("#announcements")).to_contain_text(TAKEN_OVER)
        await expect(page.locator("#hint")).to_contain_text("Ministral 3B is AI and can be wrong")
        await expect(other.page.locator("#model")).to_have_text("Model that answers: Ministral 3B.")
        await expect(other.page.locator("#status")).to_have_text(TAKEN_OVER)
        await expect(other.page.locator("#messages > .note")).to_have_count(0)  # there is no conversation yet
        await visit.ask("second")
        await visit.wait_for_answer()
        assert len({prompt.conversation for prompt in engine.prompts}) == 1


async def test_an_answer_under_way_keeps_its_status(visiting: Visiting) -> None:
    """The take-over is announced beside it."""
    engine, more = downloading(), asyncio.Event()
    engine.replies = [Text("Half "), more, Text("done."), Done("stop", "SmolLM2", Usage())]
    async with visiting(engine) as visit:
        page = visit.page
        await visit.ask("first")
        await expect(page.locator("#status")).to_contain_text("is answering")
        engine.model, engine.starter, engine.next_model = "Ministral 3B", False, None

        await expect(page.locator("#announcements")).to_contain_text(TAKEN_OVER)
        await expect(page.locator("#status")).to_contain_text("is answering")
        more.set()
        await visit.wait_for_answer()
        await expect(page.locator(".answer .body").last).to_have_text("Half done.")
        await expect(page.locator("#messages > li").last).to_have_class("note")


async def test_a_failed_download_is_one_plain_sentence(visiting: Visiting) -> None:
    """The reason is for operators. Screen readers get the failure of a download that they knew of."""
    engine = downloading()
    async with visiting(engine) as visit:
        await expect(visit.page.locator("#next-text")).to_contain_text("25%")
        engine.next_model = replace(DOWNLOAD, state="failed", problem="401 from hub.example")
        text = "Ministral 3B is not available. SmolLM2 answers in its place."

        await expect(visit.page.locator("#next-text")).to_have_text(text)
        await expect(visit.page.locator("#next-bar")).to_be_hidden()
        await expect(visit.page.locator("#announcements")).to_contain_text(text)
        assert "hub.example" not in await visit.page.content()


async def test_a_model_that_is_loaded_has_a_status_in_steps(visiting: Visiting) -> None:
    """Each change of the status is read aloud, so the seconds are rounded."""
    waits = {11.4: 15, 9.4: 10, 8.3: 10}
    gates = {seconds: asyncio.Event() for seconds in (None, *waits)}
    steps = [(Status("loading", wait_s=seconds), gate) for seconds, gate in gates.items()]
    async with visiting([*(each for step in steps for each in step), Text("Hi."), DONE]) as visit:
        await visit.page.evaluate(RECORD, "#status")
        await visit.ask("first")
        await expect(visit.page.locator("#status")).to_have_text("The model is loading. The answer will follow.")
        gates[None].set()
        for seconds, rounded in waits.items():
            await expect(visit.page.locator("#status")).to_have_text(f"The model is loading: about {rounded} seconds.")
            gates[seconds].set()
        await visit.wait_for_answer()

        shown = await visit.page.evaluate("() => globalThis.recorded")
        assert 3 == len([each for each in shown if "loading" in each])
