"""Answers that go on: after a reload, another conversation, or a lost connection; and in several tabs."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from playwright.async_api import Page, WebSocketRoute, expect

from core.contract import Prompt, Source, Text
from core.errors import ModelError
from tests.support.fake_engine import FakeEngine, ReplyStep
from tests.web.pages.support_list import choose
from tests.web.pages.support_visit import DONE, Visit, Visiting

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop

SOURCE = Source(1, "Leave", "https://leave.example/", "en")
RECORD_STATUS = """() => {
    globalThis.statuses = [];
    const status = document.querySelector('#status');
    new MutationObserver(() => statuses.push(status.textContent)).observe(status, {childList: true, subtree: true});
}"""


class HeldEngine(FakeEngine):
    """An engine whose first answer waits in the middle until `may_end` is set."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()
        super().__init__(self.steps)

    def steps(self, prompt: Prompt) -> list[ReplyStep]:
        if prompt.text == "first":
            return [SOURCE, Text("It begins [1]"), self.may_end, Text(" and ends."), DONE]
        return [Text(f"Sure: {prompt.text}"), DONE]


@asynccontextmanager
async def owner_visiting(visiting: Visiting, engine: FakeEngine) -> AsyncIterator[Visit]:
    """A visit of a browser with the cookie that makes it the owner of its conversations."""
    async with visiting(engine) as visit:
        await visit.page.request.get(f"{visit.origin}/conversations")
        await visit.open()
        yield visit


async def begin(visit: Visit) -> None:
    await visit.ask("first")
    await expect(visit.page.locator(".answer .body").last).to_have_text("It begins [1]")


async def expect_one_exchange(page: Page, answer: str) -> None:
    await expect(page.locator(".answer .body").last).to_have_text(answer)
    await expect(page.locator(".question .body")).to_have_text(["first"])
    await expect(page.locator(".answer")).to_have_count(2)  # with the greeting


async def test_an_answer_goes_on_over_a_reload(visiting: Visiting) -> None:
    """It is shown from its beginning and continues. Its question is on the page once, and the draft is the draft."""
    engine = HeldEngine()
    async with owner_visiting(visiting, engine) as visit:
        await begin(visit)
        await visit.page.locator("#question").fill("next")
        await visit.open()
        await expect_one_exchange(visit.page, "It begins [1]")
        await expect(visit.page.locator("#stop")).to_be_visible()
        await expect(visit.page.locator("#status")).to_have_text("Whisper is answering…")
        engine.may_end.set()

        await visit.wait_for_answer()
        await expect_one_exchange(visit.page, "It begins [1] and ends.")
        await expect(visit.page.locator(".sources a")).to_have_count(1)
        await expect(visit.page.locator("#question")).to_have_value("next")
        await visit.page.locator("#question").press("Enter")
        await expect(visit.page.locator(".answer .body").last).to_have_text("Sure: next")


async def test_an_answer_goes_on_while_another_conversation_is_shown(visiting: Visiting) -> None:
    """The other conversation shows nothing of it. Back in the first one, the person can stop it."""
    engine = HeldEngine()
    async with owner_visiting(visiting, engine) as visit:
        await begin(visit)
        await choose(visit.page, "chuchotte")
        await expect(visit.page.locator(".question")).to_have_count(0)
        await visit.ask("other")
        await visit.wait_for_answer()
        await choose(visit.page, "whisper")
        await expect_one_exchange(visit.page, "It begins [1]")
        assert not engine.cancelled.is_set()
        await visit.page.locator("#stop").click()

        await expect(visit.page.locator("#status")).to_have_text("You stopped this answer.")
        assert engine.cancelled.is_set()
        assert len(engine.prompts) == 2


async def test_a_lost_connection_is_told_once_and_cuts_nothing(visiting: Visiting) -> None:
    """Several attempts fail. Then the answer continues where it was, and the status tells its end."""
    engine, sockets = HeldEngine(), list[WebSocketRoute]()

    async def route(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        if len(sockets) in (2, 3):
            await socket.close()
        else:
            socket.connect_to_server()

    async with owner_visiting(visiting, engine) as visit:
        await visit.page.route_web_socket(re.compile("gpt-socket"), route)
        await visit.open()
        await begin(visit)
        await visit.page.evaluate(RECORD_STATUS)
        await sockets[0].close()
        await expect(visit.page.locator("#status")).to_have_text("The connection was lost. Reconnecting…")
        await visit.page.evaluate("dispatchEvent(new Event('online'))")  # ends the pause
        await expect(visit.page.locator("#status")).to_have_text("The connection is back.")
        engine.may_end.set()
        await visit.wait_for_answer()

        await expect_one_exchange(visit.page, "It begins [1] and ends.")
        statuses = await visit.page.evaluate("statuses")
        assert len(sockets) == 4
        assert [1, 1] == [sum(words in each for each in statuses) for words in ("lost", "back")]
        assert "complete" in statuses[-1]


async def open_in_another_tab(visit: Visit) -> Page:
    """A tab with the visit's conversation."""
    [session] = visit.engine.sessions
    page = await visit.page.context.new_page()
    await page.add_init_script(f"sessionStorage.setItem('csps-llm:session:whisper', {json.dumps(session)})")
    await page.goto(f"{visit.origin}/static/index.html")
    return page


async def test_a_tab_shows_what_another_tab_has_asked(visiting: Visiting) -> None:
    """Each tab of a conversation shows the exchanges of the other, once. The draft that is being typed stays."""
    async with owner_visiting(visiting, HeldEngine()) as visit:
        await visit.ask("one")
        await visit.wait_for_answer()
        other = await open_in_another_tab(visit)
        await expect(other.locator(".answer .body").last).to_have_text("Sure: one")
        await other.locator("#question").fill("half a thou")
        await visit.ask("two")
        await expect(other.locator(".answer .body").last).to_have_text("Sure: two")
        await expect(other.locator("#question")).to_have_value("half a thou")
        await expect(other.locator("#send")).to_be_visible()  # until then it follows the answer
        await other.locator("#question").press("Enter")

        await expect(visit.page.locator(".answer .body").last).to_have_text("Sure: half a thou")
        for page in (visit.page, other):
            await expect(page.locator(".question .body")).to_have_text(["one", "two", "half a thou"])
            await expect(page.locator("#question")).to_have_value("")


async def test_a_tab_shows_what_another_tab_has_changed(visiting: Visiting) -> None:
    """The messages are drawn anew. The focus goes from a message that is gone to the field."""
    async with owner_visiting(visiting, HeldEngine()) as visit:
        await visit.ask("one")
        await visit.wait_for_answer()
        other = await open_in_another_tab(visit)
        last = other.locator(".answer").last
        await expect(last).to_contain_text("Sure: one")
        await last.evaluate("answer => { answer.tabIndex = -1; answer.focus(); }")
        [conversation] = visit.engine.sessions.values()
        conversation.turns[1] = replace(conversation.turns[1], text="Changed")
        await visit.ask("two")

        await expect(other.locator(".answer .body")).to_have_text(["Hello!", "Changed", "Sure: two"])
        await expect(other.locator("#question")).to_be_focused()


async def test_an_answer_of_another_process_is_shown_when_it_is_there(visiting: Visiting) -> None:
    """Until then its question is shown alone, and not put back into the field."""
    async with visiting(HeldEngine()) as visit:
        await visit.ask("one")
        await visit.wait_for_answer()
        turns = next(iter(visit.engine.sessions.values())).turns
        answer = turns.pop()
        await visit.page.clock.install()
        await visit.open()
        status = visit.page.locator("#status")
        await expect(status).to_have_text("Your conversation was restored. Its last question has no answer yet.")
        await expect(visit.page.locator(".answer")).to_have_count(1)  # the greeting
        turns.append(answer)
        await visit.page.clock.fast_forward(5000)

        await expect(visit.page.locator(".answer .body").last).to_have_text("Sure: one")
        await expect(visit.page.locator(".question .body")).to_have_text(["one"])
        await expect(visit.page.locator("#question")).to_have_value("")


async def test_an_empty_answer_is_an_error_with_a_retry(visiting: Visiting) -> None:
    """So is one of white space, and a failure of the model; its wait is in one sentence. The status does not stay."""
    outcomes: list[list[ReplyStep]] = [[DONE], [Text(" \n"), DONE], [ModelError("500", retry_after_s=4.2)]]
    async with visiting(lambda _: outcomes.pop(0)) as visit:
        error, status = visit.page.locator(".error"), visit.page.locator("#status")
        await visit.ask("please")
        for _ in range(2):
            await expect(error).to_contain_text("Not answered. The model gave no answer.")
            await expect(status).not_to_contain_text("answer")
            await error.get_by_role("button", name="Try again").click()
        await expect(error).to_contain_text("The model failed to answer. Please try again in about 5 seconds.")
        await expect(error.get_by_role("button", name="Try again")).to_be_visible()
        await expect(status).not_to_contain_text("answer")
