"""Files in the page: chosen, dropped or pasted, shown with what became of them, and sent with the question."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from playwright.async_api import FilePayload, Route, expect

from core.contract import Attachment, Text
from core.errors import ModelUnavailable, Overloaded, UnreadableDocument
from tests.support.fakes import FakeEngine, Replies
from tests.web.pages.support_visit import DONE, Visit, Visiting
from tests.web.pages.test_access import violations

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop


SURE: Replies = (Text("Sure."), DONE)


class Reading(FakeEngine):
    """Reads files as text; "scan…" and "busy…" not at all, "slow…" when `released`, and of "long…" it says: in part."""

    def __init__(self, replies: Replies = SURE) -> None:
        super().__init__(replies)
        self.released = asyncio.Event()
        self.let_go = asyncio.Event()

    async def read(self, name: str, body: bytes, media_type: str) -> Attachment:
        if name.startswith("scan"):
            raise UnreadableDocument("this PDF has no text, only pictures of it", "pictures")
        if name.startswith("busy"):
            raise Overloaded("too many files are being read at once")
        try:
            if name.startswith("slow"):
                await self.released.wait()
        except asyncio.CancelledError:
            self.let_go.set()
            raise
        return Attachment(name, body.decode(), cut=name.startswith("long"))


def payload(name: str, text: str = "Eighteen months.") -> FilePayload:
    return {"name": name, "mimeType": "text/plain", "buffer": text.encode()}


async def attach(visit: Visit, *names: str) -> None:
    await visit.page.locator("#attach").set_input_files([payload(name) for name in names])


async def chips(visit: Visit, *states: str) -> None:
    """The chips of the composer, in order, have these states and no other."""
    await expect(visit.page.locator("#files > li")).to_have_class([f"chip {state}" for state in states])


def attached(visit: Visit) -> list[Sequence[Attachment]]:
    return [prompt.attachments for prompt in visit.engine.prompts]


TRANSFER = """(given) => {
    const transfer = new DataTransfer();
    const content = given.size ? new Uint8Array(given.size) : 'Eighteen months.';
    for (const name of given.files) transfer.items.add(new File([content], name, { type: 'text/plain' }));
    for (const [type, text] of Object.entries(given.texts)) transfer.setData(type, text);
    const event = given.kind === 'paste'
        ? new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true })
        : new DragEvent(given.kind, { dataTransfer: transfer, bubbles: true, cancelable: true });
    return !document.querySelector(given.on).dispatchEvent(event);
}"""


async def happens(
    visit: Visit, kind: str, on: str, *files: str, size: int = 0, texts: Mapping[str, str] | None = None
) -> bool:
    """Whether the page takes the event over from the browser. `texts`: by media type."""
    given = {"kind": kind, "on": on, "files": files, "size": size, "texts": texts or {}}
    taken: bool = await visit.page.evaluate(TRANSFER, given)
    return taken


async def test_files_go_with_the_question(visiting: Visiting) -> None:
    """What was read is sent, the composer is empty again, and the question says which files went with it."""
    async with visiting(Reading()) as visit:
        odd = "<img src=x onerror=alert(1)>.txt"
        await attach(visit, "leave.txt", odd)
        await chips(visit, "read", "read")
        await expect(visit.page.locator("#files")).to_contain_text("read: 16 characters")
        await visit.ask("How long?")
        await visit.answered()

        assert attached(visit) == [(Attachment("leave.txt", "Eighteen months."), Attachment(odd, "Eighteen months."))]
        await expect(visit.page.locator("#files")).to_be_hidden()
        await expect(visit.page.locator(".question .files li")).to_have_text(["leave.txt", odd])
        await visit.ask("And then?")
        await visit.answered()
        assert attached(visit)[1:] == [()]
        await expect(visit.page.locator(".question .files")).to_have_count(1)


async def test_what_becomes_of_a_file_is_said(visiting: Visiting) -> None:
    """To those who do not see the chips: that it is read, that it was, or why not, and that it was removed."""
    async with visiting(Reading()) as visit:
        visit.expected = "400"
        await attach(visit, "leave.txt", "scan.pdf")
        heard = visit.page.locator("#file-announcements p")
        await expect(heard).to_have_count(3)
        await expect(heard).to_contain_text(
            ["Reading 2 files…", "leave.txt was read.", "scan.pdf was not read. It contains no text, only images."]
        )
        await visit.page.get_by_role("button", name="Remove scan.pdf").click()
        await expect(heard.last).to_have_text("scan.pdf was removed.")
        await expect(visit.page.locator("#spoken")).to_be_empty()


async def test_a_file_that_is_not_read_says_why_and_is_not_sent(visiting: Visiting) -> None:
    """In the interface's language, beside the file; the question is asked without it."""
    async with visiting(Reading(), locale="fr-CA") as visit:
        visit.expected = "status of"
        await attach(visit, "scan.pdf", "busy.txt", "congés.txt")
        await chips(visit, "failed", "failed", "read")
        shown = visit.page.locator("#files > li")
        await expect(shown.nth(0)).to_contain_text("seulement des images")
        await expect(shown.nth(1)).to_contain_text("Le service est occupé.")
        await expect(shown.nth(2)).to_contain_text("lu : 16 caractères")
        await visit.ask("Combien de temps?")
        await visit.answered()

        assert attached(visit) == [(Attachment("congés.txt", "Eighteen months."),)]
        await expect(visit.page.locator(".question .files li")).to_have_text(["congés.txt"])


@pytest.mark.parametrize(
    ("locale", "shown", "spoken"),
    [
        ("en-CA", "read in part: the first 16 characters.", "long.txt was read in part: the rest is too long"),
        ("fr-CA", "lu en partie : les 16 premiers caractères.", "long.txt a été lu en partie : le reste est trop long"),
    ],
)
async def test_a_file_that_was_read_in_part_says_so(visiting: Visiting, locale: str, shown: str, spoken: str) -> None:
    """To those who see it and to those who hear it; also after a reload."""
    async with visiting(Reading(), locale=locale) as visit:
        await attach(visit, "long.txt")
        await chips(visit, "read")
        await expect(visit.page.locator("#files > li")).to_contain_text(shown)
        await expect(visit.page.locator("#file-announcements p").last).to_contain_text(spoken)
        await visit.open()
        await expect(visit.page.locator("#files > li")).to_contain_text(shown)


async def test_a_file_that_is_too_large_is_not_even_sent(visiting: Visiting) -> None:
    """The limit is told."""
    async with visiting(Reading()) as visit:
        assert await happens(visit, "drop", "#question", "large.pdf", size=8 * 2**20 + 1)
        await chips(visit, "failed")
        await expect(visit.page.locator("#files")).to_contain_text("at most 8 MB")
        assert [url for url in visit.requests if "large.pdf" in url] == []


async def test_a_file_that_cannot_be_sent_says_so(visiting: Visiting) -> None:
    """And can be attached again when the connection is back."""
    async with visiting(Reading()) as visit:
        visit.expected = "ERR_FAILED"

        async def fail(route: Route) -> None:
            await route.abort()

        await visit.page.route("**/read?*", fail)
        await attach(visit, "leave.txt")
        await expect(visit.page.locator("#files")).to_contain_text("Check your connection")
        await visit.page.unroute("**/read?*")
        await attach(visit, "leave.txt")
        await chips(visit, "failed", "read")


async def test_a_question_waits_for_its_files(visiting: Visiting) -> None:
    """Sent too early, or without words, it stays in the field with its files, and what is missing is said."""
    engine = Reading()
    async with visiting(engine) as visit:
        status = visit.page.locator("#status")
        await attach(visit, "slow.pdf")
        await visit.ask("How long?")
        await expect(status).to_contain_text("still being read")
        await expect(visit.page.locator("#question")).to_have_value("How long?")
        engine.released.set()
        await chips(visit, "read")
        await expect(status).to_be_empty()
        await visit.ask("")
        await expect(status).to_contain_text("Write a question about the file")
        assert engine.prompts == []
        await visit.ask("How long?")
        await visit.answered()
        assert [len(files) for files in attached(visit)] == [1]


async def test_a_file_is_removed_by_keyboard(visiting: Visiting) -> None:
    """The focus goes to the next file, then to the question; reading it ends, and what waited behind it is read."""
    engine = Reading()
    async with visiting(engine) as visit:
        await attach(visit, "slow.pdf", "leave.txt")
        await chips(visit, "reading", "reading")
        await visit.page.get_by_role("button", name="Remove slow.pdf").focus()
        await visit.page.keyboard.press("Enter")
        await engine.let_go.wait()
        await chips(visit, "read")
        await expect(visit.page.get_by_role("button", name="Remove leave.txt")).to_be_focused()
        await visit.page.keyboard.press("Space")
        await expect(visit.page.locator("#question")).to_be_focused()
        await visit.ask("Without files")
        await visit.answered()
        assert attached(visit) == [()]


async def test_the_button_is_one_for_everybody(visiting: Visiting) -> None:
    """By its name, by a click, and by keyboard, it lets files be chosen."""
    async with visiting(Reading()) as visit:
        button = visit.page.get_by_label("Attach a file")
        await expect(button).to_have_attribute("type", "file")
        await visit.page.keyboard.press("Tab")
        await expect(button).to_be_focused()
        await expect(visit.page.locator(".attach")).to_have_css("outline-style", "solid")
        async with visit.page.expect_file_chooser():
            await visit.page.keyboard.press("Space")
        async with visit.page.expect_file_chooser() as clicked:
            await visit.page.get_by_text("Attach a file").click()
        assert (await clicked.value).is_multiple()


async def test_files_can_be_dropped_anywhere_on_the_page(visiting: Visiting) -> None:
    """Beside the field, too, where the browser would leave the conversation for the file; text is not taken."""
    async with visiting(Reading()) as visit:
        field = visit.page.locator("#composer")
        assert await happens(visit, "dragover", "#question", "leave.txt")
        await expect(field).to_have_class("composer dropping")
        assert await happens(visit, "drop", "#question", "leave.txt")
        await expect(field).to_have_class("composer")
        assert await happens(visit, "drop", "h1", "sick.txt", "other.txt")
        await chips(visit, "read", "read", "read")
        assert not await happens(visit, "dragover", "#question", texts={"text/plain": "words"})
        assert not await happens(visit, "drop", "#question", texts={"text/plain": "words"})


async def test_files_can_be_pasted(visiting: Visiting) -> None:
    """But text that comes with a picture of itself, as from Word, is pasted as text."""
    async with visiting(Reading()) as visit:
        assert await happens(visit, "paste", "#question", "leave.txt")
        await chips(visit, "read")
        assert not await happens(visit, "paste", "#question", "image.png", texts={"text/html": "<b>words</b>"})
        assert not await happens(visit, "paste", "#question", texts={"text/plain": "words"})
        await chips(visit, "read")


async def test_at_most_sixteen(visiting: Visiting) -> None:
    """Those that are too many are not read, and it is said."""
    async with visiting(Reading()) as visit:
        await attach(visit, *(f"{number}.txt" for number in range(18)))
        await expect(visit.page.locator("#status")).to_have_text(
            "A question can have at most 16 files: 2 were not attached."
        )
        await chips(visit, *["read"] * 16)
        await attach(visit, "one more.txt")
        await expect(visit.page.locator("#status")).to_contain_text("one was not attached")
        await visit.ask("?")
        await visit.answered()
        assert [len(files) for files in attached(visit)] == [16]


async def test_too_much_together_is_said_before_it_is_sent(visiting: Visiting) -> None:
    """More than one prompt can hold: nothing is lost, and without one of the files it goes."""
    async with visiting(Reading()) as visit:
        halves = [payload(f"{number}.txt", "x" * 600_000) for number in range(2)]
        await visit.page.locator("#attach").set_input_files(halves)
        await chips(visit, "read", "read")
        await visit.ask("How long?")
        await expect(visit.page.locator("#status")).to_contain_text("Remove a file")
        await expect(visit.page.locator("#question")).to_have_value("How long?")
        assert visit.engine.prompts == []
        await visit.page.get_by_role("button", name="Remove 1.txt").click()
        await visit.page.click("#send")
        await visit.answered()
        assert [[len(file.text) for file in files] for files in attached(visit)] == [[600_000]]


async def test_a_text_that_is_too_long_alone_is_said_so(visiting: Visiting) -> None:
    """Nobody is told to remove a file where there is none, or where that would not help; the text stays."""
    async with visiting(Reading()) as visit:
        await attach(visit, "notes.txt")
        await chips(visit, "read")
        for _ in ("with a file", "without"):
            await visit.ask("long " * 260_000)
            await expect(visit.page.locator("#status")).to_have_text(
                "The question is too long for the service. Shorten it, then send."
            )
            await (
                visit.page.locator("#files").get_by_role("button").evaluate_all("all => all.forEach((e) => e.click())")
            )
        await expect(visit.page.locator("#question")).not_to_have_value("")
        assert visit.engine.prompts == []


async def test_files_that_are_scrolled_away_are_hinted_at(visiting: Visiting) -> None:
    """The list fades where it goes on, and shows what was not read without moving the page."""
    async with visiting(Reading(), viewport={"width": 390, "height": 844}) as visit:
        visit.expected = "400"
        files = visit.page.locator("#files")
        await attach(visit, "a.txt", "b.txt")
        await chips(visit, "read", "read")
        await expect(files).to_have_class("files")
        await attach(visit, *(f"{number}.txt" for number in range(8)))
        await expect(files).to_have_class("files below")
        await attach(visit, "scan.pdf")
        await expect(files).to_have_class("files above")
        await expect(files.locator(".failed")).to_be_in_viewport(ratio=1)
        assert await visit.page.evaluate("() => scrollY") == 0


async def test_an_error_gives_the_files_back(visiting: Visiting) -> None:
    """With the question; asked again, they go again, but one that was removed meanwhile does not."""
    outcomes: list[Any] = [[ModelUnavailable("away")], [ModelUnavailable("away")], [Text("Now."), DONE]]
    async with visiting(Reading(lambda _: outcomes.pop(0))) as visit:
        await attach(visit, "leave.txt", "sick.txt")
        await chips(visit, "read", "read")
        await visit.ask("How long?")
        again = visit.page.get_by_role("button", name="Try again")
        await again.click()
        await expect(visit.page.locator(".error")).to_have_count(1)
        await chips(visit, "read", "read")
        await visit.page.get_by_role("button", name="Remove sick.txt").click()
        await again.click()
        await visit.answered()

        assert [[file.name for file in files] for files in attached(visit)] == [
            ["leave.txt", "sick.txt"],
            ["leave.txt", "sick.txt"],
            ["leave.txt"],
        ]
        await expect(visit.page.locator("#files")).to_be_hidden()


async def test_files_survive_a_reload(visiting: Visiting) -> None:
    """Those of the draft, and those of a question that the service never took; what was answered does not come back."""
    async with visiting(Reading()) as visit:
        await attach(visit, "leave.txt")
        await chips(visit, "read")
        await visit.open()
        await chips(visit, "read")
        await visit.page.route_web_socket(re.compile("gpt-socket"), lambda socket: None)  # which never answers
        await visit.ask("first")
        await expect(visit.page.locator("#stop")).to_be_visible()
        await visit.open()
        await expect(visit.page.locator("#question")).to_have_value("first")
        await chips(visit, "read")
        await attach(visit, "sick.txt")
        await chips(visit, "read", "read")
        kept = await visit.page.evaluate("() => JSON.stringify(sessionStorage)")
        assert kept.count("Eighteen") == 2


async def test_nothing_of_a_sent_file_is_kept_in_the_tab(visiting: Visiting) -> None:
    """Once its question was answered; a reload brings nothing back."""
    async with visiting(Reading()) as visit:
        await attach(visit, "leave.txt")
        await chips(visit, "read")
        await visit.ask("How long?")
        await visit.answered()
        assert "Eighteen" not in await visit.page.evaluate("() => JSON.stringify(sessionStorage)")
        await visit.open()
        await chips(visit)


@pytest.mark.parametrize(
    "options",
    [
        {"color_scheme": "light"},
        {"color_scheme": "dark"},
        {"locale": "fr-CA", "viewport": {"width": 320, "height": 640}},
        {"forced_colors": "active"},
    ],
    ids=["light", "dark", "french", "forced colours"],
)
async def test_axe_finds_no_violation(visiting: Visiting, options: dict[str, Any]) -> None:
    """With files in each state, and with a question that has some; nothing needs sideways scrolling."""
    engine = Reading()
    async with visiting(engine, reduced_motion="reduce", **options) as visit:
        visit.expected = "400"
        await attach(visit, f"{'unbroken' * 20}.txt", "scan.pdf", "slow.pdf")
        await chips(visit, "read", "failed", "reading")
        found = await violations(visit.page)
        assert await visit.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        engine.released.set()
        await chips(visit, "read", "failed", "read")
        await visit.ask("How long?")
        await visit.answered()
        found += await violations(visit.page)

        assert found == []
        assert await visit.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
