"""The field for a question: its length, its undo, input methods, and the room that it takes."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from core.contract import ModelProgress, Text
from tests.support.fake_engine import FakeEngine
from tests.web.pages.support_screen_reader import announced, listen
from tests.web.pages.support_visit import DONE, Visiting
from tests.web.pages.test_access import height

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop


async def test_a_long_text_is_counted_and_can_become_a_file(visiting: Visiting) -> None:
    """Near the limit of the model the length appears, and is announced once. A long text becomes a file at a click."""
    async with visiting([Text("Sure."), DONE]) as visit:
        page, question, counter = visit.page, visit.page.locator("#question"), visit.page.locator("#length")
        await listen(page)
        await question.fill("x" * 6000)
        await expect(counter).to_be_hidden()
        await question.fill("x" * 7000)
        await expect(counter).to_contain_text("7,000 of about 8,192 characters")
        await expect(page.locator("#announcements")).to_contain_text("7,000")
        await question.press("End")
        await question.press("y")
        await expect(counter).to_contain_text("7,001")
        await question.fill("x" * 9000)
        await expect(page.locator("#announcements")).to_contain_text("9,000")
        lengths = [sentence.split()[0] for _, _, sentence in await announced(page) if "8,192" in sentence]
        assert lengths == ["7,000", "9,000"]  # not at each key
        await page.get_by_role("button", name="Attach the text as a file").click()
        await expect(page.locator("#files > li")).to_contain_text("read: 9,000 characters")
        await expect(question).to_be_focused()
        await expect(question).to_have_value("")
        await visit.ask("What does it say?")
        await visit.wait_for_answer()
        assert [len(file.text) for prompt in visit.engine.prompts for file in prompt.attachments] == [9000]


async def test_a_sent_question_can_be_taken_back_by_undo(visiting: Visiting) -> None:
    """The browser's undo brings back what was typed, also before the last word."""
    async with visiting([Text("Sure."), DONE]) as visit:
        question = visit.page.locator("#question")
        await question.press_sequentially("How long?")
        await question.press("Enter")
        await visit.wait_for_answer()
        await expect(question).to_have_value("")
        await question.press("Control+z")
        await expect(question).to_have_value("How long?")


async def test_enter_chooses_a_character_in_an_input_method(visiting: Visiting) -> None:
    """It sends nothing, by either sign of an input method."""
    async with visiting([Text("Sure."), DONE]) as visit:
        await visit.page.locator("#question").fill("日本")
        await visit.page.locator("#question").evaluate(
            """(field) => {
                for (const sign of [{ isComposing: true }, { keyCode: 229 }])
                    field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, ...sign }));
            }"""
        )
        await expect(visit.page.locator("#question")).to_have_value("日本")
        assert visit.engine.prompts == []


async def test_a_question_of_100_000_characters_stays_usable(visiting: Visiting) -> None:
    """The field scrolls by itself, keeps its buttons in view, and the draft is there after a reload."""
    async with visiting([Text("Sure."), DONE], viewport={"width": 360, "height": 740}) as visit:
        page, text = visit.page, "All work and no play. " * 4546
        await page.locator("#question").fill(text)
        await page.locator("#question").press("End")
        await page.keyboard.type("!")
        await expect(page.locator("#question")).to_have_value(f"{text}!")
        await expect(page.locator("#send")).to_be_in_viewport(ratio=1)
        assert await height(page, "#composer") <= 740 / 2
        await visit.open()
        await expect(page.locator("#question")).to_have_value(f"{text}!")


@pytest.mark.parametrize("size", [(360, 740), (320, 256), (1280, 560)], ids=["phone", "400 %", "low"])
async def test_the_composer_covers_nothing_that_is_needed(visiting: Visiting, size: tuple[int, int]) -> None:
    """The progress of a model that is on its way can be seen whole, and with files and a long text the composer leaves
    half of the window.
    """
    engine = FakeEngine([Text("Sure."), DONE])
    engine.next_model = ModelProgress("Better model", "downloading", 10, 100, 60.0)
    width, tall = size
    async with visiting(engine, viewport={"width": width, "height": tall}) as visit:
        page, bar = visit.page, visit.page.locator("#next-bar")
        await bar.scroll_into_view_if_needed()
        assert await bar.evaluate(
            """(bar) => {
                const { left, bottom } = bar.getBoundingClientRect();
                return document.elementFromPoint(left + 5, bottom - 1) === bar;
            }"""
        )
        files = [{"name": f"{number}.txt", "mimeType": "text/plain", "buffer": b"text"} for number in range(9)]
        await page.locator("#attach").set_input_files(files)  # type: ignore[arg-type]
        await page.locator("#question").fill("word\n" * 200)
        await expect(page.locator("#files > li.read")).to_have_count(9)
        if await page.locator("#composer").evaluate("form => getComputedStyle(form).position === 'sticky'"):
            assert await height(page, "#composer") <= tall * 0.6
