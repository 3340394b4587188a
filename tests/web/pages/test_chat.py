"""Chatting in the page: answers, waiting, and conversations that continue."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

from core.contract import Done, Status, Text, Usage
from tests.support.fake_engine import ReplyStep
from tests.web.pages.support_list import choose
from tests.web.pages.support_visit import DONE, Visiting

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop


async def test_an_answer_appears_while_it_is_written(visiting: Visiting) -> None:
    """The page shows the question as typed, the growing answer without Markdown signs, and the model's name."""
    more = asyncio.Event()
    async with visiting([Text("Hello **wo"), more, Text("rld**."), DONE]) as visit:
        await visit.ask("What is <b>this</b>?")

        answer = visit.page.locator(".answer").last
        await expect(visit.page.locator(".question .body")).to_have_text("What is <b>this</b>?")
        await expect(answer.locator(".body")).to_have_text("Hello wo")
        await expect(answer.locator("strong")).to_have_text("wo")
        more.set()
        await expect(answer.locator("strong")).to_have_text("world")
        await visit.wait_for_answer()
        await expect(visit.page.locator("#model")).to_contain_text(
            "fake-model. It is the demonstration model: its answers are of limited quality"
        )
        assert (visit.engine.prompts[0].text, visit.engine.prompts[0].language) == ("What is <b>this</b>?", "en")


@pytest.mark.parametrize("way", ["escape", "button"])
async def test_an_answer_can_be_stopped(visiting: Visiting, way: str) -> None:
    """The partial answer stays with a note that it was stopped, and the next question can be asked."""
    async with visiting(lambda p: [Text("One"), *([asyncio.Event()] if p.text == "first" else []), DONE]) as visit:
        await visit.ask("first")
        await expect(visit.page.locator(".answer .body").last).to_have_text("One")
        await (visit.page.keyboard.press("Escape") if way == "escape" else visit.page.click("#stop"))

        await visit.engine.cancelled.wait()
        await expect(visit.page.locator(".answer .note")).to_have_text("You stopped this answer.")
        await expect(visit.page.locator("#question")).to_be_focused()
        await visit.ask("second")
        await visit.wait_for_answer()


async def test_a_streamed_answer_looks_like_a_complete_one(visiting: Visiting) -> None:
    """Redrawing only the end of an answer leads to the same page as drawing the whole of it."""
    text = "# One\n\ntext\n===\n\n1. a\n\n2. b\n\n| x | y |\n|--|-:|\n| 1 | 2 |\n\n"
    text += "```\ncode\n\n# no\n```\n\n> a\n> b\n\nend [z]\n\n[z]: https://z.example/"
    async with visiting([*map(Text, text), DONE]) as visit:
        await visit.ask("a letter at a time")
        await visit.wait_for_answer()

        kinds = (
            await visit.page.locator(".answer").last.locator(".body > *").evaluate_all("all => all.map(e => e.tagName)")
        )
        assert kinds == ["H4", "H4", "OL", "DIV", "DIV", "BLOCKQUOTE", "P"]
        await expect(visit.page.locator("td").last).to_have_css("text-align", "end")
        await expect(visit.page.locator(".answer a")).to_have_attribute("href", "https://z.example/")


async def test_waiting_and_dropped_turns_are_shown(visiting: Visiting) -> None:
    """The page shows the place in the queue, the expected wait, a restarting model, and the number of dropped turns."""
    gates = [asyncio.Event() for _ in range(4)]
    steps: list[ReplyStep] = [Status("queued", position=3, wait_s=12.4), gates[0], Text("Y"), Status("reconnecting")]
    steps += [gates[1], Status("reading"), gates[2], Status("trimmed", turns_dropped=2), Text("es."), gates[3]]
    steps += [Done("length", "fake-model", Usage())]
    async with visiting(steps) as visit:
        status = visit.page.locator("#status")
        await visit.ask("?")
        await expect(status).to_have_text("Your question is number 3 in the queue: about 12 seconds.")
        gates[0].set()
        await expect(status).to_have_text("The model is restarting. The answer will continue.")
        gates[1].set()
        await expect(status).to_have_text("Whisper is reading…")
        gates[2].set()
        await expect(visit.page.locator(".answer .note")).to_contain_text("2 oldest messages are no longer taken")
        gates[3].set()
        await expect(status).to_contain_text("reached its length limit")


async def test_a_reload_continues_the_conversation(visiting: Visiting) -> None:
    """Questions and answers are there again, and the next prompt belongs to the same session."""
    async with visiting([Text("Sure."), DONE]) as visit:
        await visit.ask("first")
        await visit.wait_for_answer()
        await visit.open()

        await expect(visit.page.locator(".question .body")).to_have_text("first")
        await expect(visit.page.locator(".answer .body").last).to_have_text("Sure.")
        await visit.ask("second")
        await visit.wait_for_answer()
        assert len({prompt.conversation for prompt in visit.engine.prompts}) == 1


async def test_an_expired_session_is_replaced_by_a_new_one(visiting: Visiting) -> None:
    """After a reload without the session, the page starts a new one, and the draft is still there."""
    async with visiting([Text("Sure."), DONE]) as visit:
        await visit.ask("first")
        await visit.wait_for_answer()
        await visit.page.locator("#question").fill("half a thou")
        visit.engine.sessions.clear()
        await visit.open()

        await expect(visit.page.locator("#question")).to_have_value("half a thou")
        await visit.ask("second")
        await visit.wait_for_answer()
        await expect(visit.page.locator(".question .body")).to_have_text("second")


async def test_a_new_conversation_deletes_nothing(visiting: Visiting) -> None:
    """The page is empty at once and the focus in the field. Another conversation begins with the next question."""
    async with visiting([Text("Sure."), DONE]) as visit:
        await visit.ask("first")
        await visit.wait_for_answer()
        await visit.page.click("#new")
        await expect(visit.page.locator(".question")).to_have_count(0)
        await expect(visit.page.locator("#question")).to_be_focused()
        await visit.ask("second")
        await visit.wait_for_answer()

        await expect(visit.page.locator(".question .body")).to_have_text("second")
        assert len(visit.engine.sessions) == 2


async def test_personalities_are_chosen_and_keep_their_conversations(visiting: Visiting) -> None:
    """Each has its greeting, address and conversation. Its description is in the interface's language."""
    async with visiting(lambda prompt: [Text(f"I am {prompt.personality}."), DONE]) as visit:
        await visit.ask("who?")
        await visit.wait_for_answer()
        await choose(visit.page, "chuchotte")

        await expect(visit.page.locator("#title")).to_have_text("Chuchotte")
        await expect(visit.page.locator("#description")).to_have_text("About chuchotte")
        await expect(visit.page.locator(".answer .body")).to_have_text("Bonjour !")
        await expect(visit.page.locator(".answer .body")).to_have_attribute("lang", "fr")
        await expect(visit.page).to_have_title("Chuchotte – AI chat")
        assert "?personality=chuchotte" in visit.page.url
        await choose(visit.page, "whisper")
        await expect(visit.page.locator(".answer .body").last).to_have_text("I am whisper.")
