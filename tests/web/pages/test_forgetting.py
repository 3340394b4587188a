"""The page when a conversation is deleted, or when the service no longer has it."""

from __future__ import annotations

import asyncio
import json
import re

import pytest
from playwright.async_api import Browser, WebSocketRoute, expect

from core.configuration.settings import Settings
from core.contract import Text
from tests.support.fake_engine import FakeEngine
from tests.web.pages.support_list import delete_open
from tests.web.pages.support_visit import DONE, Visiting, served_again, served_until_cut

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop

NO_STORAGE = """
    for (const name of ['sessionStorage', 'localStorage']) {
        Object.defineProperty(globalThis, name, { get() { throw new DOMException('switched off', 'SecurityError'); } });
    }
"""


class SlowToForget(FakeEngine):
    def __init__(self) -> None:
        super().__init__([Text("Sure."), DONE])
        self.may_finish = asyncio.Event()

    async def forget(self, conversation: str, owner: str | None = None) -> None:
        await self.may_finish.wait()
        await super().forget(conversation, owner)


async def test_a_browser_without_storage_can_delete(visiting: Visiting) -> None:
    """The session key stays in memory until a reload, so the page can delete the conversation from the service."""
    async with visiting([Text("Sure."), DONE]) as visit:
        await visit.page.add_init_script(NO_STORAGE)
        await visit.open()
        for question in ("first", "second"):
            await visit.ask(question)
            await visit.wait_for_answer()
        assert 1 == len({prompt.conversation for prompt in visit.engine.prompts})
        await delete_open(visit.page)

        await expect(visit.page.locator(".outcome")).to_have_text("The conversation was deleted.")
        assert visit.engine.sessions == {}


async def test_a_question_during_a_deletion_stays_in_the_field(visiting: Visiting) -> None:
    """Sent at once, it would be deleted too. The old messages leave the page."""
    engine = SlowToForget()
    async with visiting(engine) as visit:
        await visit.ask("a secret")
        await visit.wait_for_answer()
        await delete_open(visit.page)
        await expect(visit.page.locator("#status")).to_have_text("The conversation is being deleted…")
        await visit.ask("next")
        await expect(visit.page.locator("#status")).to_contain_text("Your text is kept")
        engine.may_finish.set()

        await expect(visit.page.locator("#status")).to_contain_text("was deleted")
        await expect(visit.page.locator("#question")).to_have_value("next")
        await visit.page.locator("#question").press("Enter")
        await visit.wait_for_answer()
        await expect(visit.page.locator(".question .body")).to_have_text("next")


async def test_the_page_reports_a_lost_conversation(browser: Browser, own_settings: Settings) -> None:
    """After the service lost it in a restart, a note shows it. The status announces it instead of the reconnection."""
    engine = FakeEngine([Text("Sure."), DONE])
    async with served_until_cut(browser, engine, own_settings) as visit:
        await visit.ask("first")
        await visit.wait_for_answer()
    engine.sessions.clear()
    await expect(visit.page.locator("#status")).to_contain_text("was lost")
    async with served_again(visit, own_settings):
        await expect(visit.page.locator("#messages > .note")).to_contain_text("no longer has", timeout=15_000)
        await expect(visit.page.locator("#status")).to_contain_text("your next question starts a new conversation")


async def test_a_question_that_starts_a_new_conversation_is_below_the_note(visiting: Visiting) -> None:
    """It is asked during the reconnection. The note tells that only the messages above it are lost."""
    sockets: list[WebSocketRoute] = []
    asked_to_resume = asyncio.Event()

    def routed(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        if len(sockets) == 1:
            socket.connect_to_server()
        else:
            socket.on_message(answer_second_socket)

    def answer_second_socket(message: str | bytes) -> None:
        if json.loads(message)["type"] == "resume":
            asked_to_resume.set()
        else:
            for frame in ({"type": "text", "text": "Anew."}, {"type": "done", "reason": "stop"}):
                sockets[-1].send(json.dumps(frame))

    async with visiting([Text("Sure."), DONE]) as visit:
        await visit.page.route_web_socket(re.compile("gpt-socket"), routed)
        await visit.open()
        await visit.ask("first")
        await visit.wait_for_answer()
        await sockets[0].close()
        await asked_to_resume.wait()
        await visit.ask("second")
        await expect(visit.page.locator(".question .body")).to_have_count(2)
        sockets[-1].send(json.dumps({"type": "error", "code": "session_unknown", "message": "gone"}))

        await expect(visit.page.locator(".answer .body").last).to_have_text("Anew.")
        kinds = await visit.page.locator("#messages > li").evaluate_all("all => all.map((each) => each.classList[0])")
        assert ["message", "message", "message", "note", "message", "message"] == kinds
        await expect(visit.page.locator("#messages > .note")).to_contain_text("The question below starts a new")
        await expect(visit.page.locator("#announcements")).to_contain_text("The question below starts a new")
