"""A restored conversation: after a reload, or after another personality in the same tab."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.async_api import expect

from core.contract import Done, Prompt, Source, Text, Usage
from core.errors import ModelUnavailable
from tests.support.fake_engine import Replies, ReplyStep
from tests.web.pages.support_list import choose
from tests.web.pages.support_visit import DONE, Visit, Visiting
from tests.web.pages.test_access import violations
from tests.web.pages.test_files import FileEngine, attach, expect_chips

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop

READ_AT = datetime(2026, 7, 27, 18, 5, tzinfo=UTC)
LEAVE = Source(1, "Parental leave", "https://leave.example/rules", "en", READ_AT)
NEWS = Source(2, "Nouvelles", "https://news.example/", "fr")
SOURCED: Replies = (LEAVE, NEWS, Text("Eighteen **months** [1], news [1, 2], nothing [7]."), DONE)


async def ask_two_questions(visit: Visit) -> None:
    """Asks two questions, the first with files, and waits for their answers with sources."""
    await attach(visit, "leave.txt", "<b>odd</b>.txt")
    await expect_chips(visit, "read", "read")
    for question in ("How long is the leave?", "And then?"):
        await visit.ask(question)
        await visit.wait_for_answer()


async def messages_html(visit: Visit) -> str:
    return await visit.page.locator("#messages").inner_html()


async def wait_until_restored(visit: Visit) -> None:
    await expect(visit.page.locator("#status")).to_have_text("Your conversation was restored.")


@pytest.mark.parametrize(
    "options", [{}, {"locale": "fr-CA", "viewport": {"width": 320, "height": 640}}], ids=["wide", "narrow, French"]
)
async def test_a_restored_conversation_looks_as_it_did(visiting: Visiting, options: dict[str, Any]) -> None:
    """The HTML is the same, with sources, citations and file names. Screen readers announce none of it again."""
    async with visiting(SOURCED, **options) as visit:
        await ask_two_questions(visit)
        before = await messages_html(visit)
        await visit.open()
        await expect(visit.page.locator("#status")).to_contain_text("conversation")
        await expect(visit.page.locator(".answer a.cite")).to_have_count(6)  # they are drawn a little later

        assert before == await messages_html(visit)
        await expect(visit.page.locator("#announcements p")).to_have_count(1)  # that it was restored
        await expect(visit.page.locator(".question .files li")).to_have_text(["leave.txt", "<b>odd</b>.txt"])
        await visit.page.locator(".answer a.cite").last.click()
        await expect(visit.page.locator(".sources li:target")).to_contain_text("Nouvelles")
        await expect(visit.page.locator(".sources li:target")).to_be_in_viewport()
        assert await violations(visit.page) == []


async def test_a_conversation_is_restored_after_another_personality(visiting: Visiting) -> None:
    """The tab shows its sources and citations again."""
    async with visiting(SOURCED) as visit:
        await ask_two_questions(visit)
        before = await visit.page.locator(".sources").all_inner_texts()
        await choose(visit.page, "chuchotte")
        await expect(visit.page.locator(".question")).to_have_count(0)
        await choose(visit.page, "whisper")
        await expect(visit.page.locator("#status")).to_have_text("The conversation is open.")

        assert len(before) == 2
        assert before == await visit.page.locator(".sources").all_inner_texts()
        await expect(visit.page.locator(".answer a.cite")).to_have_text(["1", "1", "2"] * 2)


async def test_the_next_answer_has_sources_of_its_own(visiting: Visiting) -> None:
    """Citations of a restored answer lead to its own sources, and citations of a new answer to the new ones."""
    later = Source(1, "Later", "https://later.example/")
    async with visiting(lambda p: [later if p.text == "b" else LEAVE, Text("So [1]."), DONE]) as visit:
        await visit.ask("a")
        await visit.wait_for_answer()
        await visit.open()
        await wait_until_restored(visit)
        await visit.ask("b")
        await visit.wait_for_answer()

        for at, title in ((0, "Parental leave"), (1, "Later")):
            await visit.page.locator(".answer a.cite").nth(at).click()
            await expect(visit.page.locator(".sources li:target")).to_contain_text(title)


def reply_with_ending(prompt: Prompt) -> list[ReplyStep]:
    """Builds the steps of a reply with the ending that the prompt names."""
    ends: dict[str, list[ReplyStep]] = {
        "whole": [Text("All."), DONE],
        "long": [Text("Much"), Done("length", "fake-model", Usage())],
        "stopped": [LEAVE, Text("Half [1]"), asyncio.Event()],
        "failed": [Text("Half"), ModelUnavailable("gone")],
        "nothing": [ModelUnavailable("gone")],
    }
    return ends[prompt.text]


async def test_the_ends_of_restored_answers_are_shown(visiting: Visiting) -> None:
    """Each incomplete answer has a note in the interface's language. A stopped answer has its sources."""
    async with visiting(reply_with_ending) as visit:
        for question in ("whole", "long", "stopped", "failed", "nothing"):
            await visit.ask(question)
            if question == "stopped":
                await expect(visit.page.locator(".answer .body").last).to_have_text("Half [1]")
                await visit.page.click("#stop")
            await expect(visit.page.locator("#send")).to_be_visible()
        await visit.page.locator("#question").fill("")
        await visit.open()
        await wait_until_restored(visit)

        answers = visit.page.locator(".answer")
        notes = ["", "This answer reached its length limit", *["The answer was cut off."] * 2, "Not answered."]
        await expect(answers).to_have_count(1 + len(notes))  # the greeting
        for at, note in enumerate(notes, 1):
            await expect(answers.nth(at).locator(".note")).to_have_count(1 if note else 0)
            await expect(answers.nth(at)).to_contain_text(note)
        await expect(answers.nth(3).locator("a.cite")).to_have_text("1")
        await visit.page.get_by_role("button", name="Français").click()
        await expect(visit.page.locator(".note").last).to_have_text("Sans réponse.")
        assert await violations(visit.page) == []


async def test_files_survive_a_reload(visiting: Visiting) -> None:
    """Files of the draft and of an unanswered question survive."""
    async with visiting(FileEngine()) as visit:
        await attach(visit, "leave.txt")
        await expect_chips(visit, "read")
        await visit.open()
        await expect_chips(visit, "read")
        await visit.page.route_web_socket(re.compile("gpt-socket"), lambda socket: None)  # a socket that never answers
        await visit.ask("first")
        await expect(visit.page.locator("#stop")).to_be_visible()
        await visit.open()
        await expect(visit.page.locator("#question")).to_have_value("first")
        await expect_chips(visit, "read")
        await attach(visit, "sick.txt")
        await expect_chips(visit, "read", "read")
        stored = await visit.page.evaluate("() => JSON.stringify(sessionStorage)")
        assert stored.count("Eighteen") == 2


async def test_the_tab_stores_no_file_after_the_answer(visiting: Visiting) -> None:
    """A reload does not bring the file back."""
    async with visiting(FileEngine()) as visit:
        await attach(visit, "leave.txt")
        await expect_chips(visit, "read")
        await visit.ask("How long?")
        await visit.wait_for_answer()
        assert "Eighteen" not in await visit.page.evaluate("() => JSON.stringify(sessionStorage)")
        await visit.open()
        await expect_chips(visit)
