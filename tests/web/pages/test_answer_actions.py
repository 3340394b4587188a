"""The actions of answers and questions in the page: copy, rate, ask again, edit, details."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

from core.contract import Done, Prompt, Rating, Source, Text, Usage
from core.errors import ModelUnavailable
from tests.support.fake_engine import ReplyStep
from tests.web.pages.support_visit import DONE, Visit, Visiting
from tests.web.pages.test_access import violations

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop

LEAVE = Source(1, "Parental leave", "https://leave.example/rules", "en")
CLIPBOARD = {"permissions": ["clipboard-read", "clipboard-write"]}


async def read_clipboard(visit: Visit) -> dict[str, str]:
    """Returns the clipboard's texts by media type."""
    texts: dict[str, str] = await visit.page.evaluate(
        """async () => {
            const [item] = await navigator.clipboard.read();
            const text = async (type) => [type, await (await item.getType(type)).text()];
            return Object.fromEntries(await Promise.all(item.types.map(text)));
        }"""
    )
    return texts


def echo(prompt: Prompt) -> list[ReplyStep]:
    return [Text(f"Answer to {prompt.text}."), DONE]


async def test_an_answer_is_copied_as_rich_text_and_as_markdown(visiting: Visiting) -> None:
    """Neither contains the page's own words about links, nor its buttons. Sources are copied with their addresses."""
    text = "See **[the rules](https://a.example/x)** [1].\n\n```\nls -l\n```\n"
    async with visiting([LEAVE, Text(text), DONE], **CLIPBOARD) as visit:
        await visit.ask("leave?")
        await visit.wait_for_answer()
        await visit.page.get_by_role("button", name="Copy", exact=True).click()
        await expect(visit.page.locator(".action-outcome")).to_have_text("Copied.")
        copied = await read_clipboard(visit)

        assert copied["text/plain"].startswith("See **[the rules](https://a.example/x)** [1].\n\n```\nls -l\n```\n")
        assert "[1] [Parental leave](<https://leave.example/rules>)" in copied["text/plain"]
        assert '<strong><a href="https://a.example/x">the rules</a></strong> [1].' in copied["text/html"]
        assert "leave.example/rules" in copied["text/html"]
        for words in ("new tab", "Copy code", "class=", "role="):
            assert words not in copied["text/html"]
        await visit.page.get_by_role("button", name="Copy code").click()
        await expect(visit.page.locator(".action-outcome")).to_have_text("Copied.")
        assert (await read_clipboard(visit))["text/plain"] == "ls -l"


async def test_a_page_without_the_clipboards_interface_copies(visiting: Visiting) -> None:
    """Browsers offer `navigator.clipboard` only to pages that come by HTTPS or from this machine."""
    async with visiting([Text("**Yes**."), DONE], **CLIPBOARD) as visit:
        await visit.page.evaluate("() => { globalThis.ClipboardItem = undefined; }")
        await visit.ask("?")
        await visit.wait_for_answer()
        await visit.page.get_by_role("button", name="Copy", exact=True).click()
        await expect(visit.page.locator(".action-outcome")).to_have_text("Copied.")
        pasted = await visit.page.evaluate("() => navigator.clipboard.readText()")
        assert pasted == "**Yes**."


async def test_selecting_everything_copies_each_answer_once(visiting: Visiting) -> None:
    """The text that only screen readers get, and the buttons, are not part of a selection."""
    async with visiting([Text("A [link](https://a.example/) in words."), DONE], **CLIPBOARD) as visit:
        await visit.ask("first")
        await visit.wait_for_answer()
        await visit.page.locator(".answer .body").last.click()
        await visit.page.keyboard.press("Control+A")
        await visit.page.keyboard.press("Control+C")
        copied = await read_clipboard(visit)

        assert copied["text/plain"].count("in words.") == 1
        for words in ("new tab", "Not helpful", "Answer again"):
            assert words not in copied["text/plain"]


async def test_the_last_question_is_answered_again(visiting: Visiting) -> None:
    """The new answer replaces the old one when it begins. Only the last answer has the button; focus is not lost."""
    answers = iter(["One", "Two", "Three"])
    may_begin = asyncio.Event()

    def reply(_prompt: Prompt) -> list[ReplyStep]:
        text = next(answers)
        return [*([may_begin] if text == "Three" else []), Text(text), DONE]

    async with visiting(reply) as visit:
        page, again = visit.page, visit.page.get_by_role("button", name="Answer again")
        for question in ("a", "b"):
            await visit.ask(question)
            await visit.wait_for_answer()
            await expect(again).to_have_count(1)
        await again.press("Enter")
        await expect(page.locator(".answer.replaced")).to_contain_text("The new one replaces it")
        await expect(page.locator("#question")).to_be_focused()
        assert await violations(page) == []
        may_begin.set()
        await visit.wait_for_answer()

        await expect(page.locator(".answer .body")).to_have_text(["Hello!", "One", "Three"])
        await expect(page.locator(".question .body")).to_have_text(["a", "b"])
        last = visit.engine.prompts[-1]
        assert (last.text, last.revises, last.keeps_attachments) == ("b", True, True)
        [conversation] = visit.engine.sessions.values()
        assert [turn.text for turn in conversation.turns] == ["a", "One", "b", "Three"]


@pytest.mark.parametrize("restored", [False, True], ids=["live", "restored"])
async def test_the_last_question_is_edited_in_place(visiting: Visiting, restored: bool) -> None:
    """Escape leaves everything as it was. While it is edited, no other question is sent, and its text is kept."""
    async with visiting(echo) as visit:
        page, edit = visit.page, visit.page.get_by_role("button", name="Edit")
        for question in ("a", "b"):
            await visit.ask(question)
            await visit.wait_for_answer()
        if restored:
            await visit.open()
            await expect(page.locator(".question")).to_have_count(2)
        field = page.get_by_role("textbox", name="Edit your question")
        await edit.click()
        await expect(field).to_be_focused()
        await expect(field).to_have_value("b")
        assert await violations(page) == []
        await field.fill("lost")
        await field.press("Escape")
        await expect(edit).to_be_focused()
        await expect(page.locator(".question .body").last).to_have_text("b")

        await edit.press("Enter")
        await expect(field).to_have_value("b")
        await field.fill("c\nd")
        await visit.ask("something else")
        await expect(page.locator("#status")).to_contain_text("You are editing your last question")
        await field.press("Enter")
        await visit.wait_for_answer()
        await expect(page.locator(".question .body")).to_have_text(["a", "c\nd"])
        await expect(page.locator(".answer .body").last).to_have_text("Answer to cd.")
        await expect(page.locator("#question")).to_have_value("something else")
        assert [(each.text, each.revises) for each in visit.engine.prompts] == [
            ("a", False),
            ("b", False),
            ("c\nd", True),
        ]


async def test_a_failed_revision_keeps_the_earlier_answer_and_is_retried(visiting: Visiting) -> None:
    """The question is not doubled, and the retry replaces the same exchange."""
    outcomes: list[list[ReplyStep]] = [
        [Text("One"), DONE],
        [ModelUnavailable("away", retry_after_s=5)],
        [Text("Two"), DONE],
    ]
    async with visiting(lambda _: outcomes.pop(0)) as visit:
        page = visit.page
        await visit.ask("a")
        await visit.wait_for_answer()
        await page.get_by_role("button", name="Answer again").click()
        await expect(page.locator(".error")).to_be_visible()
        await expect(page.locator(".answer .body").nth(1)).to_have_text("One")
        await expect(page.locator("#question")).to_have_value("")
        await page.get_by_role("button", name="Try again").click()
        await visit.wait_for_answer()

        await expect(page.locator(".question .body")).to_have_text("a")
        await expect(page.locator(".answer .body").last).to_have_text("Two")
        await expect(page.locator(".answer")).to_have_count(2)
        [conversation] = visit.engine.sessions.values()
        assert [turn.text for turn in conversation.turns] == ["a", "Two"]


async def test_an_answer_is_rated_with_a_reason(visiting: Visiting) -> None:
    """The verdict is stored at once, the reason afterwards. It can be changed. A failure is told."""
    async with visiting(echo, web_settings={"prefix": "/chat"}, query="chat/") as visit:
        page = visit.page
        await visit.ask("a")
        await visit.wait_for_answer()
        good, bad = (page.get_by_role("button", name=name, exact=True) for name in ("Helpful", "Not helpful"))
        await good.press("Enter")
        await expect(page.locator(".action-outcome")).to_contain_text("Your rating is stored.")
        await expect(good).to_have_attribute("aria-pressed", "true")
        await bad.press("Enter")
        await expect(bad).to_have_attribute("aria-pressed", "true")
        await expect(good).to_have_attribute("aria-pressed", "false")
        await page.get_by_label("It is out of date").check()
        await page.get_by_label("In your own words").fill("The law changed.")
        assert await violations(page) == []
        await page.get_by_role("button", name="Send reason").click()
        await expect(page.locator(".action-outcome")).to_contain_text("Your reason is stored.")

        [conversation] = visit.engine.sessions
        comments = [("good", ""), ("bad", ""), ("bad", "outdated: The law changed.")]
        assert [Rating(conversation, 1, *each) for each in comments] == visit.engine.ratings
        await visit.open()
        await expect(bad).to_have_attribute("aria-pressed", "true")
        await expect(good).to_have_attribute("aria-pressed", "false")
        await bad.press("Enter")
        await expect(page.get_by_role("button", name="Send reason")).to_be_visible()
        assert len(visit.engine.ratings) == len(comments)
        visit.expected = "Failed to load resource"
        visit.engine.sessions.clear()
        await good.press("Enter")
        await expect(page.locator(".action-outcome")).to_contain_text("could not be stored")
        await expect(bad).to_have_attribute("aria-pressed", "true")


async def test_details_tell_model_time_and_tokens(visiting: Visiting) -> None:
    """A restored answer has its details as well, without the tokens. Escape closes them and keeps the focus."""
    done = Done("stop", "fake-model", Usage(120, 45))
    async with visiting([Text("Yes."), done], timezone_id="America/Toronto") as visit:
        page, details = visit.page, visit.page.get_by_role("button", name="Details")
        await visit.ask("a")
        await visit.wait_for_answer()
        await details.press("Enter")
        panel = page.locator(".action-panel.details")
        await expect(panel).to_contain_text("Model: fake-model")
        await expect(panel).to_contain_text("Tokens: 120 read, 45 written")
        await details.press("Escape")
        await expect(panel).to_have_count(0)
        await expect(details).to_be_focused()
        await visit.open()
        await details.press("Enter")
        await expect(panel.locator("li")).to_have_text(["Model: fake-model", "Asked on July 27, 2026 at 10:03 a.m."])


async def test_details_have_the_number_of_the_receipt(visiting: Visiting) -> None:
    """Its button copies it; a restored answer has it too."""
    done = Done("stop", "fake-model", Usage(120, 45), receipt="3f0c9a5e7b21d4c86a90e1f2")
    async with visiting([Text("Yes."), done], **CLIPBOARD) as visit:
        page, details = visit.page, visit.page.get_by_role("button", name="Details")
        await visit.ask("a")
        await visit.wait_for_answer()
        await details.press("Enter")
        await expect(page.locator(".action-panel.details code")).to_have_text("3f0c9a5e7b21d4c86a90e1f2")
        await page.get_by_role("button", name="Copy receipt number").press("Enter")
        await expect(page.locator(".action-outcome")).to_have_text("Copied.")
        assert (await read_clipboard(visit))["text/plain"] == "3f0c9a5e7b21d4c86a90e1f2"
        assert await violations(page) == []
        await visit.open()
        await details.press("Enter")
        await expect(page.locator(".action-panel.details code")).to_have_text("3f0c9a5e7b21d4c86a90e1f2")


async def test_actions_fit_how_an_answer_ended(visiting: Visiting) -> None:
    """A stopped answer is answered again. A failed one is tried again, also when it is restored."""
    ends: dict[str, list[ReplyStep]] = {
        "stopped": [Text("Half"), asyncio.Event()],
        "failed": [Text("Half"), ModelUnavailable("gone")],
        "again": [Text("Whole."), DONE],
    }
    states = iter(["stopped", "failed", "again"])
    async with visiting(lambda _: ends[next(states)]) as visit:
        page = visit.page
        await visit.ask("a")
        await expect(page.locator(".answer .body").last).to_have_text("Half")
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Answer again").click()
        await expect(page.locator(".error")).to_be_visible()
        await expect(page.get_by_role("button", name="Answer again")).to_have_count(0)
        await visit.open()
        await page.get_by_role("button", name="Try again").click()
        await visit.wait_for_answer()

        await expect(page.locator(".answer .body")).to_have_text(["Hello!", "Whole."])
        [conversation] = visit.engine.sessions.values()
        assert [turn.text for turn in conversation.turns] == ["a", "Whole."]


async def test_a_long_question_is_folded(visiting: Visiting) -> None:
    """100,000 characters take a part of the screen until the person shows them. Lines are kept."""
    text = "first\n\tsecond\n" + "word " * 20_000
    async with visiting([Text("Long."), DONE]) as visit:
        page = visit.page
        await visit.ask(text)
        await visit.wait_for_answer()
        body = page.locator(".question .body")
        folded = await body.bounding_box()
        assert folded is not None
        assert folded["height"] < 320
        button = page.get_by_role("button", name="Show all 100,")
        await expect(button).to_have_attribute("aria-expanded", "false")
        await button.press("Enter")
        shown = await body.bounding_box()
        assert shown is not None
        assert shown["height"] > 10_000
        await expect(page.get_by_role("button", name="Show less")).to_be_focused()
        assert (await body.inner_text()).startswith("first\n\tsecond\n")
