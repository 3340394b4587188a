"""The reader's place: the question pinned above its growing answer, and following only at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Page, expect

from core.contract import Text
from tests.support.fake_engine import ReplyStep
from tests.web.pages.support_visit import DONE, Visit, Visiting

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop

LINES = [Text(f"line {number}\n\n") for number in range(60)]
LOW, DESKTOP, PHONE = {"width": 320, "height": 256}, {"width": 1280, "height": 720}, {"width": 360, "height": 740}

# The visible height of the last answer, in CSS pixels: within the window and above a composer that covers the end.
ANSWER_PX = """() => {
    const { top, bottom } = [...document.querySelectorAll('.answer')].at(-1).getBoundingClientRect();
    const composer = document.querySelector('#composer').getBoundingClientRect();
    return Math.min(bottom, composer.top, innerHeight) - Math.max(0, top);
}"""
# How far the last question is below the header, or below the edge of a window without one.
QUESTION_TOP = """() => [...document.querySelectorAll('.question')].at(-1).getBoundingClientRect().top
    - parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop)"""
SCROLL_Y = "() => scrollY"


class Flow:
    """An answer whose lines come one by one, as the test asks for them."""

    def __init__(self, count: int) -> None:
        self.gates = [asyncio.Event() for _ in range(count)]
        self.steps: list[ReplyStep] = [*LINES]
        for number, gate in enumerate(self.gates):
            self.steps += [gate, Text(f"more {number}\n\n")]
        self.steps.append(DONE)

    async def add(self, page: Page) -> None:
        """Lets the next line come, and waits until it is on the page."""
        number = next(at for at, gate in enumerate(self.gates) if not gate.is_set())
        self.gates[number].set()
        await expect(page.get_by_text(f"more {number}", exact=True)).to_be_attached()
        await page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")

    def end(self) -> None:
        for gate in self.gates:
            gate.set()


async def ask_for_lines(visit: Visit) -> None:
    await visit.ask("long")
    await expect(visit.page.get_by_text("line 59")).to_be_attached()


async def to_the_end(visit: Visit) -> None:
    await visit.page.locator("#latest").press("Enter")
    await expect(visit.page.get_by_text("line 59")).to_be_in_viewport()
    await expect(visit.page.locator("#latest")).to_be_hidden()


@pytest.mark.parametrize("size", [DESKTOP, PHONE, LOW], ids=["desktop", "phone", "400 percent"])
async def test_a_question_stays_at_the_top_while_its_answer_grows(visiting: Visiting, size: dict[str, Any]) -> None:
    """Each question is pinned, with short and with long answers. The answer has most of the height that is left."""
    flow = Flow(1)
    async with visiting(lambda p: flow.steps if p.text == "long" else [Text("Short."), DONE], viewport=size) as visit:
        page = visit.page
        lowest = -60 if size is LOW else -1  # at 400 percent the heading of the question gives way to the answer
        for question in ("first", "second"):
            await visit.ask(question)
            await visit.wait_for_answer()
            assert lowest <= await page.evaluate(QUESTION_TOP) <= 1
        await ask_for_lines(visit)
        await flow.add(page)

        assert lowest <= await page.evaluate(QUESTION_TOP) <= 1
        share = 1 / 2 if size is LOW else 1 / 3  # above it the header stays, and below it the field
        assert await page.evaluate(ANSWER_PX) >= share * size["height"]
        await expect(page.locator("#latest")).to_be_in_viewport(ratio=1)
        await visit.wait_for_answer()


async def test_a_long_question_leaves_half_of_the_height_to_its_answer(visiting: Visiting) -> None:
    """The end of a question that is higher than the window stays above its answer."""
    async with visiting([*LINES, DONE], viewport=LOW) as visit:
        await visit.ask("many words " * 300)
        await visit.wait_for_answer()

        assert await visit.page.evaluate(QUESTION_TOP) < 0
        assert await visit.page.evaluate(ANSWER_PX) >= LOW["height"] / 2


async def drag(page: Page) -> None:
    """Drags the text down with a finger, slowly."""
    session = await page.context.new_cdp_session(page)
    for at in range(200, 260, 6):
        kind = "touchMove" if at > 200 else "touchStart"
        await session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": 600, "y": at}]})
    await session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


async def mark(page: Page) -> None:
    await page.get_by_text("line 58", exact=True).dblclick()


async def drag_scrollbar(page: Page) -> None:
    await page.evaluate("() => scrollBy(0, -30)")  # the event that a dragged thumb causes


async def wheel(page: Page) -> None:
    await page.mouse.wheel(0, -4)


async def press_arrow(page: Page) -> None:
    await page.locator("#messages > li").last.focus()
    await page.keyboard.press("ArrowUp")


async def press_page_up(page: Page) -> None:
    await page.locator("#messages > li").last.focus()
    await page.keyboard.press("PageUp")


@pytest.mark.parametrize("act", [wheel, press_arrow, press_page_up, drag, drag_scrollbar, mark])
async def test_whatever_the_reader_does_ends_following(
    visiting: Visiting, act: Callable[[Page], Awaitable[None]]
) -> None:
    """A reader at the end is followed. The slightest move away from there, or marked text, and the page stays."""
    flow = Flow(5)
    async with visiting(flow.steps, viewport=DESKTOP, has_touch=act is drag) as visit:
        page = visit.page
        await ask_for_lines(visit)
        await to_the_end(visit)
        before = await page.evaluate(SCROLL_Y)
        await flow.add(page)
        assert await page.evaluate(SCROLL_Y) > before
        await page.mouse.move(300, 300)
        before = await page.evaluate(SCROLL_Y)
        await act(page)
        if act is not mark:
            await page.wait_for_function("before => scrollY < before", arg=before)
        before = await page.evaluate(SCROLL_Y)
        for _ in range(3):
            await flow.add(page)
        assert await page.evaluate(SCROLL_Y) <= before
        flow.end()
        await visit.wait_for_answer()


@pytest.mark.parametrize("size", [DESKTOP, {"width": 900, "height": 500}, PHONE], ids=["desktop", "low", "phone"])
async def test_a_move_of_the_browser_does_not_start_following(visiting: Visiting, size: dict[str, Any]) -> None:
    """A browser brings the text field into view by itself. The answer then grows out of the window, with its button."""
    flow = Flow(60)
    async with visiting([Text("begun\n\n"), *flow.steps[len(LINES) :]], viewport=size) as visit:
        page = visit.page
        await visit.ask("long")
        await expect(page.get_by_text("begun")).to_be_attached()
        before = await page.evaluate(SCROLL_Y)
        await page.evaluate("() => scrollBy(0, -10)")  # there may be no room below
        await page.wait_for_function("before => scrollY < before", arg=before)
        await page.evaluate("() => scrollBy(0, 20)")
        await page.wait_for_function("before => scrollY >= before", arg=before)
        await page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        flow.end()
        await visit.wait_for_answer()

        await expect(page.locator("#latest")).to_be_in_viewport(ratio=1)


async def test_gentle_wheel_ticks_are_never_pulled_back(visiting: Visiting) -> None:
    """Each of 20 ticks during streaming moves the page further up. Coming back to the end follows again."""
    flow = Flow(24)
    async with visiting(flow.steps, viewport=DESKTOP) as visit:
        page = visit.page
        await ask_for_lines(visit)
        await to_the_end(visit)
        await page.mouse.move(300, 300)
        places = [await page.evaluate(SCROLL_Y)]
        for _ in range(20):
            await page.mouse.wheel(0, -6)
            await page.wait_for_function("before => scrollY < before", arg=places[-1])
            await flow.add(page)
            places.append(await page.evaluate(SCROLL_Y))
        assert sorted(places, reverse=True) == places
        await expect(page.locator("#latest")).to_be_visible()
        await page.mouse.wheel(0, 10_000)
        await expect(page.locator("#latest")).to_be_hidden()
        await flow.add(page)
        await expect(page.get_by_text("more 20", exact=True)).to_be_in_viewport()
        flow.end()
        await visit.wait_for_answer()


@pytest.mark.parametrize("size", [DESKTOP, LOW, {"width": 900, "height": 500}], ids=["desktop", "400 percent", "low"])
async def test_the_way_to_the_latest_message_is_on_the_page(visiting: Visiting, size: dict[str, int]) -> None:
    """The button is wholly visible, has the focus only in sight, and passes it on to the message that it leads to."""
    async with visiting([*LINES, DONE], viewport=size) as visit:
        page = visit.page
        await visit.ask("long")
        await visit.wait_for_answer()
        button = page.locator("#latest")
        await expect(button).to_be_in_viewport(ratio=1)
        await page.locator("#question").focus()
        await page.keyboard.press("Shift+Tab")
        await expect(button).to_be_focused()
        await expect(button).to_be_in_viewport(ratio=1)
        await page.keyboard.press("Enter")
        await expect(button).to_be_hidden()
        end = await page.locator("#messages > li").last.evaluate("last => last.getBoundingClientRect().bottom")
        assert end <= await page.locator("#composer").evaluate("form => form.getBoundingClientRect().top")
        assert 0 < end <= size["height"]
        await expect(page.locator("#messages > li").last).to_be_focused()


async def test_a_restored_conversation_opens_at_its_last_question(visiting: Visiting) -> None:
    """The question is at the top, as when it was asked, and the answer is below."""
    async with visiting([*LINES, DONE]) as visit:
        for question in ("first", "second"):
            await visit.ask(question)
            await visit.wait_for_answer()
        await visit.open()

        await expect(visit.page.locator(".question")).to_have_count(2)
        await visit.page.wait_for_function("() => scrollY > 500")
        assert -1 <= await visit.page.evaluate(QUESTION_TOP) <= 1
