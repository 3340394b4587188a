"""Every state of the page that a person can see, with the steps that lead to it.

The accessibility matrix (`test_states.py`) and the pictures (`benchmarks.screenshots`) visit the same states.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from playwright.async_api import Browser, Page, ViewportSize, expect

from core.configuration.settings import Settings
from core.contract import Attachment, Json, KeywordReport, Language, Prompt, Source, Status, Task, Text, WebPage
from core.errors import ModelUnavailable, NonConforming, UnreadableDocument
from tests.support.fake_engine import FakeEngine, ReplyStep
from tests.web.pages.support_list import show_list
from tests.web.pages.support_visit import DONE, Visit, serving

DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
READ_AT = datetime(2026, 7, 27, 18, 5, tzinfo=UTC)
LEAVE = "https://www.canada.ca/en/parental-leave"
GRID = "| {0} | {1} |\n|---|--:|\n| {2} | 18 |\n| {3} | 12 |\n"
CODE = "```python\ndef weeks(months: int) -> int:\n    return round(months * 4.35)  # 4.35\n```\n"


@dataclass(frozen=True, slots=True)
class Words:
    """The words that a person and the service write in one language."""

    personality: str
    questions: tuple[str, str, str]
    answer: str
    title: str  # that the person gives a conversation
    page: WebPage
    prompt: str  # of the form


WORDS: Mapping[Language, Words] = {
    "en": Words(
        "whisper",
        ("How long is parental leave?", "Write to my team about the new schedule.", "What changed in the budget?"),
        "### Parental leave\n\nYou may take **18 months** of leave [1], and your manager `approves` the dates [2].\n\n"
        "1. Write to your manager.\n2. Fill in [the form](https://www.canada.ca/form).\n\n"
        + GRID.format("Kind", "Months", "Parental", "Maternity")
        + f"\n{CODE}\nThe weekly rate is $r = \\frac{{b}}{{52}}$.\n\n"
        "> Benefits are taxable [3]. [not found in the sources]\n",
        "Leave in 2026",
        WebPage(LEAVE, "Parental leave", "page", "You may take up to 18 months of parental leave.", "en"),
        "What is plain language?",
    ),
    "fr": Words(
        "chuchotte",
        (
            "Quelle est la durée du congé parental?",
            "Écrire à mon équipe au sujet de l’horaire.",
            "Le budget a-t-il changé?",
        ),
        "### Congé parental\n\nVous avez droit à **18 mois** de congé [1]; votre équipe `approuve` les dates [2].\n\n"
        "1. Écrivez à votre gestionnaire.\n2. Remplissez [le formulaire](https://www.canada.ca/formulaire).\n\n"
        + GRID.format("Genre", "Mois", "Parental", "Maternité")
        + f"\n{CODE}\nLe taux hebdomadaire est $r = \\frac{{b}}{{52}}$.\n\n"
        "> Les prestations sont imposables [3]. [introuvable dans les sources]\n",
        "Congé de 2026",
        WebPage(LEAVE, "Congé parental", "page", "Vous avez droit à 18 mois de congé parental.", "fr"),
        "Qu’est-ce que le langage clair?",
    ),
}
SOURCES = (
    Source(1, "Parental leave", LEAVE, "en", READ_AT),
    Source(2, "Guide du gestionnaire", "https://www.canada.ca/fr/gestionnaire", "fr", READ_AT),
)
SCHEMA = {"type": "object", "properties": {"team": {"type": "string", "format": "email"}}, "$ref": "https://a.example/"}
REPORTS = (
    KeywordReport("/$ref", "$ref", "refused", "/$ref: the address is outside of the schema"),
    KeywordReport("/properties/team/format", "format", "checked", "the engine cannot enforce it"),
    KeywordReport("/type", "type", "enforced"),
)
ROWS = "message,date\nThe heating is cold,2026-07-01\nbad,2026-07-02\n"


class StagedEngine(FakeEngine):
    """Answers by the first word of the question, which the states choose; and reads files by their names."""

    def __init__(self, language: Language) -> None:
        super().__init__(self.steps, self.value)
        self.words = WORDS[language]
        self.held = asyncio.Event()  # never set: what waits for it goes on until the visit ends
        self.pages[LEAVE] = self.words.page

    def steps(self, prompt: Prompt) -> Iterable[ReplyStep]:
        if prompt.text.startswith("queue"):
            return [Status("queued", position=3, wait_s=40), self.held]
        if prompt.text.startswith("fail"):
            return [Text(self.words.answer[:60]), ModelUnavailable("away", retry_after_s=30)]
        if prompt.text.startswith("slow"):
            return [*SOURCES, Text(self.words.answer[:150]), self.held]
        return [*SOURCES, Text(self.words.answer), replace(DONE, model="gemma-3-4b")]

    def value(self, task: Task) -> Json:
        if any(each.text == "bad" for each in task.attachments):
            raise NonConforming("/team: expected a text")
        return {"team": "pay", "urgent": True}

    async def check_schema(self, schema: Json) -> tuple[KeywordReport, ...]:
        return tuple(each for each in REPORTS if each.outcome != "refused" or "$ref" in str(schema))

    async def read(self, name: str, body: bytes, media_type: str) -> Attachment:
        if name.startswith("scan"):
            raise UnreadableDocument("this PDF has no text, only pictures of it", "pictures")
        if name.startswith("slow"):
            await self.held.wait()
        return Attachment(name, body.decode())


@dataclass(frozen=True, slots=True)
class Stage:
    """A visit in one language, on which a state is reached."""

    visit: Visit
    words: Words

    @property
    def page(self) -> Page:
        return self.visit.page

    async def ask(self, text: str | None = None) -> None:
        await self.visit.ask(text or self.words.questions[0])
        await self.visit.wait_for_answer()

    async def ask_several(self) -> None:
        """Asks each question in a conversation of its own."""
        for number, question in enumerate(self.words.questions):
            if number:
                await self.page.click("#new")
            await self.ask(question)

    async def attach(self, *names: str) -> None:
        files: list[Any] = [{"name": name, "mimeType": "text/plain", "buffer": b"Eighteen months."} for name in names]
        await self.page.locator("#attach").set_input_files(files)

    async def play(self) -> None:
        """Opens the playground, with its first example."""
        await self.page.goto(f"{self.visit.origin}/toil")
        await expect(self.page.locator("#prompt")).not_to_have_value("")
        await expect(self.page.locator("#keywords li")).not_to_have_count(0)


@dataclass(frozen=True, slots=True)
class State:
    """`reach(stage)` leads from the first view to it. `settle(page)` brings it back after a change of the window."""

    name: str
    reach: Callable[[Stage], Awaitable[None]]
    settle: Callable[[Page], Awaitable[object]] | None = None
    expected: str | None = None  # an error that the browser logs
    languages: Literal["switched", "separate", "both"] = "switched"  # by a button, by another visit, or shown at once
    is_screen: bool = True  # else paper, which needs no structure


async def first_view(stage: Stage) -> None:
    await expect(stage.page.locator("#retention")).to_contain_text("30")


async def queue(stage: Stage) -> None:
    await stage.visit.ask("queue")
    await expect(stage.page.locator("#status")).to_contain_text("40")


async def answering(stage: Stage) -> None:
    await stage.visit.ask("slow")
    await expect(stage.page.locator(".answer .body").last).to_contain_text("18")


async def answered(stage: Stage) -> None:
    await stage.ask()
    await expect(stage.page.locator(".copy-code")).to_be_visible()


async def error(stage: Stage) -> None:
    await stage.visit.ask("fail")
    await expect(stage.page.locator(".error")).to_be_visible()


async def files(stage: Stage) -> None:
    await stage.attach("leave.txt", "scan.pdf", "slow.pdf")
    await expect(stage.page.locator("#files > li")).to_have_class(["chip read", "chip failed", "chip reading"])


async def preview(stage: Stage) -> None:
    await stage.page.locator("#question").fill(f"{LEAVE} {stage.words.questions[0]}")
    await stage.page.locator("#link-preview summary").click()


async def unknown(stage: Stage) -> None:
    await stage.page.goto(f"{stage.visit.origin}/?personality={stage.words.personality}&conversation=web:unknown")
    await expect(stage.page.locator("#messages .note")).to_be_visible()


async def conversations(stage: Stage) -> None:
    await stage.ask_several()
    await expect(await show_list(stage.page)).to_have_count(3)


async def search(stage: Stage) -> None:
    await conversations(stage)
    await stage.page.get_by_role("searchbox").fill("budget")
    await expect(stage.page.locator(".outcome")).not_to_be_empty()


async def rename(stage: Stage) -> None:
    await conversations(stage)
    entries = stage.page.locator(".entry")
    await entries.last.locator(".more").click()
    await entries.first.locator(".more").click()
    await entries.first.locator(".actions button").first.click()
    await entries.first.locator("input").fill(stage.words.title)


async def delete(stage: Stage) -> None:
    await conversations(stage)
    await stage.page.locator(".entry .more").first.click()
    await stage.page.locator(".entry .actions button").last.click()
    await expect(stage.page.locator("#confirm")).to_be_visible()


async def directory(stage: Stage) -> None:
    await stage.page.click("#personality")
    await expect(stage.page.locator(".directory .card")).to_have_count(2)


async def settings(stage: Stage) -> None:
    await stage.page.click("#settings")
    await expect(stage.page.locator("dialog.settings")).to_be_visible()


async def shortcuts(stage: Stage) -> None:
    await stage.page.keyboard.press("Alt+Shift+Slash")
    await expect(stage.page.locator("dialog.shortcuts")).to_be_visible()


async def rating(stage: Stage) -> None:
    await stage.ask()
    await stage.page.locator("[data-verdict=bad]").click()
    await expect(stage.page.locator(".rating textarea")).to_be_visible()


async def details(stage: Stage) -> None:
    await stage.ask()
    await stage.page.locator("[data-text=page-details]").click()
    await expect(stage.page.locator(".action-panel.details li")).not_to_have_count(0)


async def source(stage: Stage) -> None:
    """A number in the answer has led to its source."""
    await stage.ask()
    await stage.page.locator("a.cite").first.click()
    await expect(stage.page.locator(".sources li button")).to_be_visible()


async def export(stage: Stage) -> None:
    await stage.ask()
    await stage.page.locator("#export summary").click()


async def editing(stage: Stage) -> None:
    await stage.ask()
    await stage.page.locator("[data-text=page-edit]").click()
    await expect(stage.page.locator(".editor textarea")).to_be_focused()


async def printing(stage: Stage) -> None:
    await answered(stage)
    await stage.page.emulate_media(media="print")


async def playground(stage: Stage) -> None:
    await stage.play()


async def refused_schema(stage: Stage) -> None:
    await stage.play()
    await stage.page.locator("#schema").fill('{"$ref": "https://a.example/"}')
    await expect(stage.page.locator("#keywords h3.refused")).to_be_visible()


async def faulty_schema(stage: Stage) -> None:
    await stage.play()
    await stage.page.locator("#schema").fill('{\n  "type": object\n}')
    await expect(stage.page.locator("#place button")).to_be_visible()


async def result(stage: Stage) -> None:
    await stage.play()
    await stage.page.locator("#run").click()
    await expect(stage.page.locator("#copy-value")).to_be_visible()
    for summary in ("#program", "#history"):
        await stage.page.locator(f"{summary} > summary").click()


async def rows(stage: Stage) -> None:
    await stage.play()
    await stage.page.locator("#csv").set_input_files(
        files=[{"name": "messages.csv", "mimeType": "text/csv", "buffer": ROWS.encode()}]
    )
    await stage.page.locator("#start").click()
    await expect(stage.page.locator("#as-csv")).to_be_visible()
    await stage.page.locator("#failures > summary").click()


async def form(stage: Stage) -> None:
    await stage.page.goto(f"{stage.visit.origin}/gpt?personality={stage.words.personality}")
    await expect(stage.page.locator("#prompt")).to_be_visible()


async def form_answer(stage: Stage) -> None:
    await form(stage)
    await stage.page.locator("#prompt").fill(stage.words.prompt)
    await stage.page.locator("button.primary").click()
    await expect(stage.page.locator(".plain-answer ol")).to_be_visible()


async def form_error(stage: Stage) -> None:
    await form(stage)
    await stage.page.locator("#prompt").fill(" ")
    await stage.page.locator("button.primary").click()
    await expect(stage.page.locator(".error")).to_be_visible()


async def start_failure(stage: Stage) -> None:
    await stage.page.route(re.compile(r"/page\.js$"), lambda route: route.abort())
    await stage.page.goto(stage.visit.origin)
    await expect(stage.page.locator("#trouble[data-reported]")).to_be_visible()


async def not_found(stage: Stage) -> None:
    await stage.page.goto(f"{stage.visit.origin}/chat/of/yesterday")
    await expect(stage.page.locator("main a").first).to_be_visible()


async def pinned_list(page: Page) -> None:
    if not await page.locator("#confirm").is_visible():
        await show_list(page)


STATES = (
    State("first view", first_view),
    State("queue", queue),
    State("answering", answering),
    State("answered", answered),
    State("error", error),
    State("files", files, expected="400"),
    State("preview", preview),
    State("unknown conversation", unknown),
    State("list", conversations, settle=pinned_list),
    State("search", search, settle=pinned_list),
    State("rename", rename, settle=pinned_list),
    State("delete", delete),
    State("directory", directory),
    State("settings", settings),
    State("shortcuts", shortcuts),
    State("rating", rating),
    State("details", details),
    State("source", source),
    State("export", export),
    State("editing", editing),
    State("printing", printing, is_screen=False),
    State("playground", playground),
    State("refused schema", refused_schema),
    State("faulty schema", faulty_schema),
    State("result", result),
    State("rows", rows),
    State("form", form, languages="separate"),
    State("form answer", form_answer, languages="separate"),
    State("form error", form_error, languages="separate", expected="400"),
    State("start failure", start_failure, expected="ERR_FAILED", languages="both"),
    State("not found", not_found, languages="separate", expected="404"),
)


@asynccontextmanager
async def staged(
    state: State, browser: Browser, own: Settings, language: Language, **options: Any
) -> AsyncIterator[Stage]:
    """A visit in which `state` is reached. `options`: of the browser's context."""
    engine = StagedEngine(language)
    async with serving(engine, own) as port:
        context = await browser.new_context(
            **{"locale": f"{language}-CA", "timezone_id": "America/Toronto", "reduced_motion": "reduce", **options}
        )
        context.set_default_timeout(30_000)
        visit = Visit.start(await context.new_page(), engine, f"http://127.0.0.1:{port}")
        visit.expected = state.expected
        try:
            await visit.open()
            stage = Stage(visit, engine.words)
            await state.reach(stage)
            yield stage
        finally:
            await context.close()
        visit.check()
