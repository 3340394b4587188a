"""What screen readers announce, in each mode, and what they find on the page."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest
from playwright.async_api import Browser, Page, expect

from core.configuration.settings import Settings
from core.contract import Prompt, Source, Status, Text
from core.errors import ModelUnavailable
from tests.support.fake_engine import FakeEngine, ReplyStep
from tests.web.pages.support_screen_reader import accessibility_tree, announced, listen
from tests.web.pages.support_visit import DONE, Visiting, served_again, served_until_cut

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop

LEAVE = Source(1, "Parental leave", "https://leave.example/rules", "en")
PLACES = [(3, (12, 11, 10)), (1, (4, 3))]  # in the queue, with the seconds to wait
ANSWER = [
    "There are two kinds of leave [1]. ",
    "They are:\n\n- paid leave\n- leave with",
    "out pay\n\nSee [the rules](https://leave.example/).",
]


class QueuedEngine(FakeEngine):
    """An engine with a queue. The test lets each wait that the page has shown pass."""

    def __init__(self) -> None:
        self.waits = [
            (Status("queued", position=at, wait_s=float(s)), asyncio.Event()) for at, waits in PLACES for s in waits
        ]
        super().__init__(self.reply_to)

    def reply_to(self, prompt: Prompt) -> list[ReplyStep]:
        if prompt.text == "fail":
            return [Text("Half of"), ModelUnavailable("away")]
        return [*(step for wait in self.waits for step in wait), LEAVE, *map(Text, ANSWER), DONE]

    async def let_pass(self, page: Page) -> None:
        for status, gate in self.waits:
            seconds = f"about {status.wait_s:.0f} second"
            await expect(page.locator("#status")).to_contain_text(seconds)
            gate.set()


async def choose_reading(page: Page, mode: str) -> None:
    await page.evaluate("mode => localStorage.setItem('csps-llm:reading', mode)", mode)


QUEUED = [
    "Your question is number 3 in the queue: about 12 seconds.",
    "Your question is number 1 in the queue: about 4 seconds.",
]
BEGAN, ENDED = "Whisper is answering…", "The answer is complete: 19 words, 1 source."
SENTENCES = [
    "There are two kinds of leave [1]. They are:",
    "paid leave",
    "leave without pay",
    "See the rules (leave.example).",
]
TRANSCRIPTS = {
    "standard": [*QUEUED, BEGAN, ENDED],
    "sentences": [*QUEUED, BEGAN, *SENTENCES, ENDED],
    "quiet": [ENDED, " ".join(SENTENCES)],
}


@pytest.mark.parametrize("mode", TRANSCRIPTS)
async def test_the_transcript_of_a_conversation(mode: str, browser: Browser, own_settings: Settings) -> None:
    """A queue, an answer with a source, a list and a link, an error, and a restart: each line is announced once."""
    engine = QueuedEngine()
    async with served_until_cut(browser, engine, own_settings) as visit:
        await choose_reading(visit.page, mode)
        await visit.open()
        await listen(visit.page)
        await visit.ask("leave")
        await engine.let_pass(visit.page)
        await heard(visit.page, TRANSCRIPTS[mode])
        await visit.ask("fail")
        await expect(visit.page.get_by_role("alert")).to_be_visible()
        error = await visit.page.get_by_role("alert").inner_text()
    await expect(visit.page.locator("#status")).to_contain_text("was lost")
    async with served_again(visit, own_settings):
        await expect(visit.page.locator("#status")).to_have_text("The connection is back.", timeout=15_000)

        began = [] if mode == "quiet" else [BEGAN]
        ends = ["The connection was lost. Reconnecting…", "The connection is back."]
        expected = [*TRANSCRIPTS[mode], *began, error.replace("\n", " "), *ends]
        lines = await announced(visit.page)
        assert expected == [text for _, _, text in lines]
        assert [error] == [text for politeness, _, text in lines if politeness == "assertive"]


async def test_no_announcement_is_longer_than_500_characters(visiting: Visiting) -> None:
    """Of a list of 1,000 items, quiet mode announces the beginning and where the rest is; sentence mode, each item."""
    items = [f"- item {number} is about {'word ' * 30}\n" for number in range(1000)]
    async with visiting([Text("".join(items)), DONE]) as visit:
        for mode, count in (("quiet", 3), ("sentences", 4)):
            await choose_reading(visit.page, mode)
            await visit.open()
            await listen(visit.page)
            await visit.ask(mode)
            await visit.wait_for_answer()
            await visit.page.wait_for_function("count => globalThis.announced.length >= count", arg=count)
            lines = [text for _, _, text in await announced(visit.page)]
            assert max(map(len, lines)) <= 500
            assert any(line.startswith("item 0 is about") for line in lines)
            if mode == "quiet":
                assert "The rest of the answer is in the conversation" in lines[-1]


async def test_quiet_mode_shows_the_finished_answer_only(visiting: Visiting) -> None:
    """While the model writes, nothing of the answer is on the page. A failure shows what there is."""
    more = asyncio.Event()
    steps: dict[str, list[ReplyStep]] = {
        "good": [LEAVE, Text("Half "), more, Text("and whole."), DONE],
        "bad": [Text("Only half"), ModelUnavailable("away")],
    }
    async with visiting(lambda p: steps[p.text]) as visit:
        await choose_reading(visit.page, "quiet")
        await visit.open()
        await visit.ask("good")
        await expect(visit.page.locator("#status")).to_contain_text("is answering")
        await expect(visit.page.get_by_text("Half")).to_be_hidden()
        await expect(visit.page.get_by_text("Parental leave")).to_be_hidden()
        more.set()
        await visit.wait_for_answer()
        await expect(visit.page.locator(".answer .body").last).to_have_text("Half and whole.")
        await expect(visit.page.get_by_text("Parental leave")).to_be_visible()
        await visit.ask("bad")
        await expect(visit.page.locator(".answer .body").last).to_have_text("Only half")


async def test_the_title_tells_of_an_answer_in_a_background_tab(visiting: Visiting) -> None:
    """It does so in the interface's language, and ends when the tab is looked at. In front it never changes."""
    steps: dict[str, list[ReplyStep]] = {"good": [Text("Yes."), DONE], "bad": [ModelUnavailable("away")]}
    async with visiting(lambda p: steps[p.text]) as visit:
        page = visit.page
        await visit.ask("good")
        await visit.wait_for_answer()
        await expect(page).to_have_title("Whisper – AI chat")
        for question, title in (("good", "Answer ready"), ("bad", "Not answered")):
            await show_tab(page, False)
            await visit.ask(question)
            await expect(page).to_have_title(f"{title} – Whisper – AI chat")
            await show_tab(page, True)
            await expect(page).to_have_title("Whisper – AI chat")


async def show_tab(page: Page, visible: bool) -> None:
    """Brings the tab to the front or to the back, as far as the page can see."""
    await page.evaluate(
        """visible => {
            Object.defineProperty(document, 'hidden', { value: !visible, configurable: true });
            document.dispatchEvent(new Event('visibilitychange'));
        }""",
        visible,
    )


async def test_the_accessibility_tree_has_an_order_that_people_can_follow(visiting: Visiting) -> None:
    """Landmarks, headings without a gap, a log that is not live, and one live status for the state of answers."""
    async with visiting([Text("## Part\n\nText."), DONE]) as visit:
        await visit.ask("first")
        await visit.wait_for_answer()
        nodes = await accessibility_tree(visit.page)

        roles = [node["role"] for node in nodes]
        assert [roles.count(role) for role in ("banner", "main", "log")] == [1, 1, 2]
        [log] = [node for node in nodes if (node["role"], node["name"]) == ("log", "Conversation")]
        assert log.get("live", "off") == "off"
        levels = [node["level"] for node in nodes if node["role"] == "heading"]
        assert levels[0] == 1
        assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
        live = {(node["role"], node["live"], node["atomic"]) for node in nodes if node.get("live") not in (None, "off")}
        assert live == {
            ("status", "polite", False),  # of the page and its answers
            ("log", "polite", False),  # of files
            ("status", "polite", True),  # of the actions below an answer
        }


async def heard(page: Page, lines: Sequence[str]) -> None:
    await page.wait_for_function("count => globalThis.announced.length >= count", arg=len(lines))
    assert list(lines) == [text for _, _, text in await announced(page)]
