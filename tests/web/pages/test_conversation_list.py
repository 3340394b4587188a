"""The list of conversations: opening, searching, renaming, pinning and deleting them, and the address of each."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from core.contract import Prompt, Text
from tests.support.fake_engine import BEGINNING, FakeEngine, ReplyStep
from tests.web.pages.support_list import act, delete_open, show_list
from tests.web.pages.support_visit import DONE, Visit, Visiting
from tests.web.pages.test_access import violations

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop

WIDE = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True}


def echo(prompt: Prompt) -> list[ReplyStep]:
    return [Text(f"About {prompt.text}."), DONE]


async def ask_each(visit: Visit, *questions: str) -> None:
    """Asks each question in a conversation of its own."""
    for question in questions:
        if question != questions[0]:
            await visit.page.click("#new")
        await visit.ask(question)
        await visit.wait_for_answer()
        await expect(visit.page.locator(".answer .body").last).to_have_text(f"About {question}.")


async def titles(page: Page) -> list[str]:
    return await page.locator(".entry .title").all_inner_texts()


async def test_conversations_have_addresses(visiting: Visiting) -> None:
    """A click opens one and marks it; back, forward, a reload and another tab follow the address."""
    async with visiting(echo, **WIDE) as visit:
        page, answer = visit.page, visit.page.locator(".answer .body").last
        await page.clock.set_fixed_time(BEGINNING.replace(day=BEGINNING.day + 1))
        await ask_each(visit, "leave", "budget")
        await expect(page.get_by_role("link", name="budget Whisper, in English yesterday")).to_be_visible()
        await expect(page.locator(".entry a[aria-current=page] .title")).to_have_text("budget")
        await page.get_by_role("link", name="leave").click()
        await expect(answer).to_have_text("About leave.")
        await expect(page.locator("#question")).to_be_focused()
        await expect(page.locator("#status")).to_have_text("The conversation is open.")
        await expect(page.locator(".entry a[aria-current=page] .title")).to_have_text("leave")
        address = page.url
        assert "personality=whisper&conversation=web" in address

        await page.go_back()
        await expect(answer).to_have_text("About budget.")
        await page.go_forward()
        await expect(answer).to_have_text("About leave.")
        await page.reload()
        await expect(answer).to_have_text("About leave.")
        other = await page.context.new_page()
        await other.goto(address)
        await expect(other.locator(".answer .body").last).to_have_text("About leave.")


async def test_a_link_to_a_conversation_that_is_gone_says_so(visiting: Visiting) -> None:
    """Another person's conversation looks the same. The page then begins a new one, under an address without it."""
    async with visiting(echo) as visit:
        await visit.page.goto(f"{visit.origin}/static/index.html?personality=whisper&conversation=web:unknown")
        await expect(visit.page.locator("#status")).to_contain_text("The service does not have this conversation")
        await expect(visit.page.locator("#messages .note")).to_contain_text("or it belongs to someone else")
        await ask_each(visit, "leave")
        assert "unknown" not in visit.page.url


async def test_search_finds_words_of_answers(visiting: Visiting) -> None:
    """It begins by itself after a pause, the number of results is announced, and Escape shows all again."""
    async with visiting(echo, **PHONE) as visit:
        await ask_each(visit, "leave", "budget", "weather")
        entries = await show_list(visit.page)
        await expect(entries).to_have_count(3)
        search, outcome = visit.page.get_by_role("searchbox"), visit.page.locator(".outcome")
        await search.press_sequentially("about bud")
        await expect(outcome).to_have_text("1 conversation found.")
        await expect(outcome).to_have_role("status")
        await expect(entries.locator(".title")).to_have_text(["budget"])
        await search.fill("nothing like it")
        await expect(outcome).to_have_text("No conversation found.")
        await search.press("Escape")
        await expect(entries).to_have_count(3)
        await expect(outcome).to_be_empty()
        await expect(visit.page.locator(".drawer")).to_be_visible()


async def test_a_change_shows_in_every_tab(visiting: Visiting) -> None:
    """Titles and pins change in place and keep the focus. Another tab, and the next visit, have them too."""
    async with visiting(echo, **WIDE) as visit:
        page = visit.page
        await ask_each(visit, "leave", "budget")
        other = await page.context.new_page()
        await other.goto(page.url)
        await expect(other.locator(".entry .title")).to_have_text(["budget", "leave"])
        entry = page.locator(".entry").filter(has_text="leave")
        await act(page, entry, "Pin")
        await expect(entry.get_by_role("button", name="Unpin")).to_be_focused()
        await expect(page.locator(".outcome")).to_have_text("Pinned at the top of the list.")
        await expect(other.locator(".entry .title")).to_have_text(["leave", "budget"])
        await expect(other.locator(".entry").first).to_contain_text("Pinned")
        await entry.get_by_role("button", name="Rename").click()
        field = page.get_by_role("textbox", name="Title of the conversation")
        await field.press("Escape")
        await expect(entry.locator(".more")).to_be_focused()
        await act(page, entry, "Rename")
        await field.fill("  Parental <b>leave</b> ")
        await field.press("Enter")
        await expect(other.locator(".entry .title")).to_have_text(["Parental <b>leave</b>", "budget"])
        await expect(page.locator(".entry .more").first).to_be_focused()


async def test_a_conversation_is_deleted_after_a_confirmation(visiting: Visiting) -> None:
    """The focus goes to its neighbour. A tab that shows it says so and keeps nothing of it."""
    async with visiting(echo, **WIDE) as visit:
        page = visit.page
        await ask_each(visit, "a secret", "budget")
        other = await page.context.new_page()
        await other.goto(page.url)
        await other.get_by_role("link", name="a secret").click()
        await expect(other.locator(".answer .body").last).to_have_text("About a secret.")
        entry = page.locator(".entry").filter(has_text="a secret")
        await act(page, entry, "Delete")
        await expect(page.locator("#confirm-text")).to_contain_text("“a secret” will be deleted")
        await page.keyboard.press("Escape")
        assert len(visit.engine.sessions) == 2
        await entry.get_by_role("button", name="Delete").click()
        await page.click("#confirm-action")

        await expect(page.locator(".entry .title")).to_have_text(["budget"])
        await expect(page.get_by_role("link", name="budget")).to_be_focused()
        await expect(other.locator("#status")).to_contain_text("deleted in another tab")
        await expect(other.locator(".question")).to_have_count(0)
        assert "secret" not in await other.evaluate("() => JSON.stringify([{...sessionStorage}, {...localStorage}])")
        await delete_open(page)
        await expect(page.locator(".entry")).to_have_count(0)
        assert visit.engine.sessions == {}


async def test_all_conversations_are_deleted_at_once(visiting: Visiting) -> None:
    """The list says who can read it and how long conversations are kept, also in an ordinary window."""
    async with visiting(echo) as visit:
        page = visit.page
        await ask_each(visit, "leave", "budget")
        await show_list(page)
        footer = page.locator(".side footer")
        await expect(footer).to_contain_text("Everyone who uses this browser can read these conversations.")
        await expect(footer).to_contain_text("deleted 30 days after its last message")
        await page.get_by_role("button", name="Delete all conversations").click()
        await page.click("#confirm-action")
        await expect(page.locator(".outcome")).to_have_text("All your conversations were deleted.")
        await expect(page.locator(".entry")).to_have_count(0)
        await expect(page.locator(".question")).to_have_count(0)
        assert visit.engine.sessions == {}


async def test_each_conversation_has_its_own_draft(visiting: Visiting) -> None:
    """A switch to another one and back keeps both."""
    async with visiting(echo, **WIDE) as visit:
        page, question = visit.page, visit.page.locator("#question")
        await ask_each(visit, "leave", "budget")
        await question.fill("a thought")
        await page.get_by_role("link", name="leave").click()
        await expect(page.locator(".answer .body").last).to_have_text("About leave.")
        await expect(question).to_have_value("")
        await page.get_by_role("link", name="budget").click()
        await expect(question).to_have_value("a thought")


@pytest.mark.parametrize("cause", ["the list fails", "no cookies"])
async def test_the_page_works_without_the_list(visiting: Visiting, cause: str) -> None:
    """It says what is missing, and the open conversation can still be deleted."""
    async with visiting(echo, **WIDE) as visit:
        visit.expected = "503"

        async def refuse(route: Route) -> None:
            await route.fulfill(status=503, json={})

        async def drop_cookie(route: Route) -> None:
            response = await route.fetch()
            await visit.page.context.clear_cookies()
            await route.fulfill(response=response, headers={"Content-Type": "application/json"})

        await visit.page.context.clear_cookies()
        await visit.page.route("**/conversations", refuse if cause == "the list fails" else drop_cookie)
        await visit.open()
        await ask_each(visit, "leave")
        assert "conversation=" not in visit.page.url  # whoever has the id of this one can open it
        notice = visit.page.locator(".list .remark").first
        if cause == "the list fails":
            await expect(notice).to_contain_text("cannot be loaded")
            await visit.page.unroute("**/conversations")
            await expect(visit.page.locator(".side footer")).to_be_hidden()
            await notice.get_by_role("button", name="Try again").click()
            await expect(visit.page.locator(".side footer")).to_be_visible()
            return
        await expect(notice).to_contain_text("only this tab leads to it")
        await notice.get_by_role("button", name="Delete the open conversation").click()
        await visit.page.click("#confirm-action")
        await expect(visit.page.locator(".outcome")).to_have_text("The conversation was deleted.")
        assert visit.engine.sessions == {}
        await visit.page.unroute_all(behavior="wait")


@pytest.mark.parametrize(
    "options",
    [WIDE, {**PHONE, "locale": "fr-CA", "color_scheme": "dark"}],
    ids=["beside the conversation", "in a dialog, French, dark"],
)
async def test_the_list_is_accessible(visiting: Visiting, options: dict[str, Any]) -> None:
    """With actions and with a field for the title. Closing it brings the focus back to its button."""
    async with visiting(echo, **options) as visit:
        page = visit.page
        await ask_each(visit, "leave", "budget")
        entries = await show_list(page)
        await entries.last.locator(".more").click()
        await entries.first.locator(".more").click()
        await entries.first.locator(".actions button").first.click()
        await expect(entries.first.locator("input")).to_be_focused()
        problems = await violations(page)
        small = await page.locator(".side :is(button, a, input):visible").evaluate_all(
            "all => all.filter((each) => each.getBoundingClientRect().height < 24).length"
        )
        await page.locator(".side .head button").click()
        await expect(page.locator(".side")).to_be_hidden()
        await expect(page.locator("#conversations")).to_be_focused()
        await expect(page.locator("#conversations")).to_have_attribute("aria-expanded", "false")
        assert (problems, small) == ([], 0)


async def test_many_conversations_are_shown_in_two_steps(visiting: Visiting) -> None:
    """A long list does not slow the page down. The rest follows on request, and the focus goes to its first entry."""
    engine = FakeEngine(echo)
    async with visiting(engine, **WIDE) as visit:
        await ask_each(visit, "leave")
        (first,) = engine.sessions.values()
        for number in range(60):
            name = await engine.open("whisper", first.owner)
            engine.sessions[name].turns, engine.sessions[name].title = first.turns, f"Number {number}"
        await visit.open()
        await expect(visit.page.locator(".entry")).to_have_count(40)
        await visit.page.get_by_role("button", name="Show all 61 conversations").click()
        await expect(visit.page.locator(".entry")).to_have_count(61)
        await expect(visit.page.locator(".entry").nth(40).locator("a")).to_be_focused()
