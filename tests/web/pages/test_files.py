"""Files in the page: chosen, dropped or pasted, shown with their state, and sent with the question."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import FilePayload, Route, expect

from core.contract import Attachment, Omission, Text
from core.errors import ModelUnavailable, Overloaded, UnreadableDocument
from tests.support.fake_engine import FakeEngine, Replies
from tests.web.pages.support_visit import DONE, Visit, Visiting
from tests.web.pages.test_access import violations

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop


PARTLY = (Omission("pages", 60, 113),)
SURE: Replies = (Text("Sure."), DONE)


class FileEngine(FakeEngine):
    """Reads files as text. "scan…" and "busy…" fail, "slow…" waits for `released`, and "long…" is read in part."""

    def __init__(self, replies: Replies = SURE) -> None:
        super().__init__(replies)
        self.released = asyncio.Event()
        self.read_cancelled = asyncio.Event()

    async def read(self, name: str, body: bytes, media_type: str) -> Attachment:
        if name.startswith("scan"):
            raise UnreadableDocument("this PDF has no text, only pictures of it", "pictures")
        if name.startswith("busy"):
            raise Overloaded("too many files are being read at once")
        try:
            if name.startswith("slow"):
                await self.released.wait()
        except asyncio.CancelledError:
            self.read_cancelled.set()
            raise
        return Attachment(name, body.decode(), omissions=PARTLY if name.startswith("long") else ())


def payload(name: str, text: str = "Eighteen months.") -> FilePayload:
    return {"name": name, "mimeType": "text/plain", "buffer": text.encode()}


async def attach(visit: Visit, *names: str) -> None:
    await visit.page.locator("#attach").set_input_files([payload(name) for name in names])


async def expect_chips(visit: Visit, *states: str) -> None:
    """Waits until the composer's chips, in order, have exactly these states."""
    await expect(visit.page.locator("#files > li")).to_have_class([f"chip {state}" for state in states])


def sent_attachments(visit: Visit) -> list[Sequence[Attachment]]:
    return [prompt.attachments for prompt in visit.engine.prompts]


TRANSFER = """(details) => {
    const transfer = new DataTransfer();
    const content = details.size ? new Uint8Array(details.size) : 'Eighteen months.';
    for (const name of details.files) transfer.items.add(new File([content], name, { type: 'text/plain' }));
    for (const [type, text] of Object.entries(details.texts)) transfer.setData(type, text);
    const event = details.kind === 'paste'
        ? new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true })
        : new DragEvent(details.kind, { dataTransfer: transfer, bubbles: true, cancelable: true });
    return !document.querySelector(details.on).dispatchEvent(event);
}"""


async def dispatch(
    visit: Visit, kind: str, on: str, *files: str, size: int = 0, texts: Mapping[str, str] | None = None
) -> bool:
    """Dispatch the event; return whether the page handled it itself. `texts`: by media type."""
    details = {"kind": kind, "on": on, "files": files, "size": size, "texts": texts or {}}
    is_handled: bool = await visit.page.evaluate(TRANSFER, details)
    return is_handled


async def test_files_go_with_the_question(visiting: Visiting) -> None:
    """The files' texts are sent, the composer is empty again, and the question shows the files' names."""
    async with visiting(FileEngine()) as visit:
        odd = "<img src=x onerror=alert(1)>.txt"
        await attach(visit, "leave.txt", odd)
        await expect_chips(visit, "read", "read")
        await expect(visit.page.locator("#files")).to_contain_text("read: 16 characters")
        await visit.ask("How long?")
        await visit.wait_for_answer()

        assert sent_attachments(visit) == [
            (Attachment("leave.txt", "Eighteen months."), Attachment(odd, "Eighteen months."))
        ]
        await expect(visit.page.locator("#files")).to_be_hidden()
        await expect(visit.page.locator(".question .files li")).to_have_text(["leave.txt", odd])
        await visit.ask("And then?")
        await visit.wait_for_answer()
        assert sent_attachments(visit)[1:] == [()]
        await expect(visit.page.locator(".question .files")).to_have_count(1)


async def test_the_state_of_a_file_is_announced(visiting: Visiting) -> None:
    """Screen readers announce the start of reading, its success or failure with the reason, and the removal."""
    async with visiting(FileEngine()) as visit:
        visit.expected = "400"
        await attach(visit, "leave.txt", "scan.pdf")
        announcements = visit.page.locator("#file-announcements p")
        await expect(announcements).to_have_count(3)
        await expect(announcements).to_contain_text(
            ["Reading 2 files…", "leave.txt was read.", "scan.pdf was not read. It contains no text, only images."]
        )
        await visit.page.get_by_role("button", name="Remove scan.pdf").click()
        await expect(announcements.last).to_have_text("scan.pdf was removed.")
        await expect(visit.page.locator("#announcements")).to_be_empty()


async def test_an_unreadable_file_shows_the_reason_and_is_not_sent(visiting: Visiting) -> None:
    """The reason is beside the file, in the interface's language. The question is asked without the file, which stays
    and is announced.
    """
    async with visiting(FileEngine(), locale="fr-CA") as visit:
        visit.expected = "status of"
        await attach(visit, "scan.pdf", "busy.txt", "congés.txt")
        await expect_chips(visit, "failed", "failed", "read")
        chips = visit.page.locator("#files > li")
        await expect(chips.nth(0)).to_contain_text("seulement des images")
        await expect(chips.nth(1)).to_contain_text("Le service est occupé.")
        await expect(chips.nth(2)).to_contain_text("lu : 16 caractères")
        await visit.ask("Combien de temps?")
        await visit.wait_for_answer()

        assert sent_attachments(visit) == [(Attachment("congés.txt", "Eighteen months."),)]
        await expect(visit.page.locator(".question .files li")).to_have_text(["congés.txt"])
        await expect_chips(visit, "failed", "failed")
        await expect(visit.page.locator("#file-announcements")).to_contain_text("scan.pdf, busy.txt")


async def test_no_file_is_lost_by_a_reload(visiting: Visiting) -> None:
    """A text that was read is kept. A file that was not read stays with its reason, or says to attach it again."""
    async with visiting(FileEngine()) as visit:
        visit.expected = "status of"
        await attach(visit, "leave.txt", "scan.pdf", "busy.txt", "slow.pdf")
        await expect_chips(visit, "read", "failed", "failed", "reading")
        await visit.open()
        await expect_chips(visit, "read", "failed", "failed", "failed")
        chips = visit.page.locator("#files > li")
        await expect(chips.nth(1)).to_contain_text("only images")
        for number in (2, 3):
            await expect(chips.nth(number)).to_contain_text("Attach it again.")


async def test_texts_that_the_browser_cannot_keep_are_named(visiting: Visiting) -> None:
    """They go with the question, but not over a reload."""
    async with visiting(FileEngine()) as visit:
        await visit.page.evaluate("() => localStorage.setItem('other', 'x'.repeat(4_900_000))")
        await visit.page.evaluate("() => sessionStorage.setItem('other', 'x'.repeat(4_900_000))")
        await visit.page.locator("#attach").set_input_files([payload("long story.txt", "x" * 600_000)])
        await expect_chips(visit, "read")
        await visit.open()
        await expect_chips(visit, "failed")
        await expect(visit.page.locator("#files")).to_contain_text("long story.txt")


async def test_a_file_that_the_computer_no_longer_gives_is_named(visiting: Visiting, tmp_path: Path) -> None:
    """A file that was moved says so, and an empty one has no text. Neither is uploaded."""
    moved, empty, slow = (tmp_path / name for name in ("moved.txt", "empty.txt", "slow.txt"))
    engine = FileEngine()
    async with visiting(engine) as visit:
        visit.expected = "ERR_FILE_NOT_FOUND"
        for file in (moved, slow):
            file.write_text("Eighteen months.")
        empty.write_text("")
        await visit.page.locator("#attach").set_input_files([slow, moved, empty])
        await expect_chips(visit, "reading", "reading", "reading")
        moved.unlink()
        engine.released.set()
        await expect_chips(visit, "read", "failed", "failed")
        await expect(visit.page.locator("#files > li").nth(1)).to_contain_text("it was changed or moved")
        await expect(visit.page.locator("#files > li").nth(2)).to_contain_text("It contains no text.")


async def test_the_files_of_a_dropped_folder_are_attached(visiting: Visiting, tmp_path: Path) -> None:
    """Also those of folders in it, without hidden ones. The nearest files come first."""
    folder = tmp_path / "leave"
    for name in ("b.txt", "a.txt", ".hidden", "Thumbs.db", "more/c.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("Eighteen months.")
    (folder / "empty").mkdir()
    async with visiting(FileEngine()) as visit:
        await drop_paths(visit, folder)
        await expect_chips(visit, "read", "read", "read")
        await expect(visit.page.locator("#files .name")).to_have_text(["a.txt", "b.txt", "c.txt"])
        await drop_paths(visit, folder / "empty")
        await expect(visit.page.locator("#status")).to_have_text("There is no file in this folder.")


async def drop_paths(visit: Visit, *paths: Path) -> None:
    """Drops real files or folders, as from the desktop."""
    session = await visit.page.context.new_cdp_session(visit.page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        await session.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 300, "data": data})


async def test_a_slow_file_shows_its_progress_and_can_be_cancelled(visiting: Visiting) -> None:
    """After two seconds a bar appears. Removing the file ends its reading."""
    engine = FileEngine()
    async with visiting(engine) as visit:
        await visit.page.clock.install()
        await attach(visit, "slow.pdf")
        await expect_chips(visit, "reading")
        bar = visit.page.get_by_role("progressbar", name="Progress of slow.pdf")
        await expect(bar).to_have_count(0)
        await visit.page.clock.fast_forward(2000)
        await expect(bar).to_be_visible()
        await visit.page.get_by_role("button", name="Remove slow.pdf").click()
        await engine.read_cancelled.wait()
        await expect(visit.page.locator("#files")).to_be_hidden()


@pytest.mark.parametrize(
    ("locale", "state", "announcement"),
    [
        ("en-CA", "read in part: the first 16 characters.", "long.txt was read in part: the rest is too long"),
        ("fr-CA", "lu en partie : les 16 premiers caractères.", "long.txt a été lu en partie : le reste est trop long"),
    ],
)
async def test_a_partly_read_file_is_marked(visiting: Visiting, locale: str, state: str, announcement: str) -> None:
    """The mark is visible and announced, and stays visible after a reload."""
    async with visiting(FileEngine(), locale=locale) as visit:
        await attach(visit, "long.txt")
        await expect_chips(visit, "read")
        await expect(visit.page.locator("#files > li")).to_contain_text(state)
        await expect(visit.page.locator("#file-announcements p").last).to_contain_text(announcement)
        await visit.open()
        await expect(visit.page.locator("#files > li")).to_contain_text(state)


async def test_a_file_above_the_limit_is_not_uploaded(visiting: Visiting) -> None:
    """The chip shows the limit."""
    async with visiting(FileEngine()) as visit:
        assert await dispatch(visit, "drop", "#question", "large.pdf", size=8 * 2**20 + 1)
        await expect_chips(visit, "failed")
        await expect(visit.page.locator("#files")).to_contain_text("at most 8.4 MB")
        assert [url for url in visit.requests if "large.pdf" in url] == []


async def test_a_failed_upload_is_shown(visiting: Visiting) -> None:
    """A button reads the file when the connection is back. The focus stays at the file."""
    async with visiting(FileEngine()) as visit:
        visit.expected = "ERR_FAILED"

        async def fail(route: Route) -> None:
            await route.abort()

        await visit.page.route("**/read?*", fail)
        await attach(visit, "leave.txt")
        await expect(visit.page.locator("#files")).to_contain_text("Check your connection")
        await visit.page.unroute("**/read?*")
        await visit.page.get_by_role("button", name="Read leave.txt again").click()
        await expect_chips(visit, "read")
        await expect(visit.page.get_by_role("button", name="Remove leave.txt")).to_be_focused()


async def test_a_question_waits_for_its_files(visiting: Visiting) -> None:
    """A question sent too early, or without text, stays in the field. The status says what is missing."""
    engine = FileEngine()
    async with visiting(engine) as visit:
        status = visit.page.locator("#status")
        await attach(visit, "slow.pdf")
        await visit.ask("How long?")
        await expect(status).to_contain_text("still being read")
        await expect(visit.page.locator("#question")).to_have_value("How long?")
        engine.released.set()
        await expect_chips(visit, "read")
        await expect(status).to_be_empty()
        await visit.ask("")
        await expect(status).to_contain_text("Write a question about the file")
        assert engine.prompts == []
        await visit.ask("How long?")
        await visit.wait_for_answer()
        assert [len(files) for files in sent_attachments(visit)] == [1]


async def test_a_file_is_removed_by_keyboard(visiting: Visiting) -> None:
    """Its reading is cancelled and the next file is read. The focus goes to the next file, then to the question."""
    engine = FileEngine()
    async with visiting(engine) as visit:
        await attach(visit, "slow.pdf", "leave.txt")
        await expect_chips(visit, "reading", "reading")
        await visit.page.get_by_role("button", name="Remove slow.pdf").focus()
        await visit.page.keyboard.press("Enter")
        await engine.read_cancelled.wait()
        await expect_chips(visit, "read")
        await expect(visit.page.get_by_role("button", name="Remove leave.txt")).to_be_focused()
        await visit.page.keyboard.press("Space")
        await expect(visit.page.locator("#question")).to_be_focused()
        await visit.ask("Without files")
        await visit.wait_for_answer()
        assert sent_attachments(visit) == [()]


async def test_the_attach_button_is_accessible(visiting: Visiting) -> None:
    """It has a name, and opens the file chooser by click and by keyboard."""
    async with visiting(FileEngine()) as visit:
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
    """Outside the field, the browser itself would open the file. Dropped text is left to the browser."""
    async with visiting(FileEngine()) as visit:
        field = visit.page.locator("#composer")
        assert await dispatch(visit, "dragover", "#question", "leave.txt")
        await expect(field).to_have_class("composer dropping")
        assert await dispatch(visit, "drop", "#question", "leave.txt")
        await expect(field).to_have_class("composer")
        assert await dispatch(visit, "drop", "h1", "sick.txt", "other.txt")
        await expect_chips(visit, "read", "read", "read")
        assert not await dispatch(visit, "dragover", "#question", texts={"text/plain": "words"})
        assert not await dispatch(visit, "drop", "#question", texts={"text/plain": "words"})


async def test_files_can_be_pasted(visiting: Visiting) -> None:
    """Text that comes with a picture of itself, as from Word, is pasted as text."""
    async with visiting(FileEngine()) as visit:
        assert await dispatch(visit, "paste", "#question", "leave.txt")
        await expect_chips(visit, "read")
        assert not await dispatch(visit, "paste", "#question", "image.png", texts={"text/html": "<b>words</b>"})
        assert not await dispatch(visit, "paste", "#question", texts={"text/plain": "words"})
        await expect_chips(visit, "read")


async def test_a_question_has_at_most_16_files(visiting: Visiting) -> None:
    """Further files are not read, and the status shows their number."""
    async with visiting(FileEngine()) as visit:
        await attach(visit, *(f"{number}.txt" for number in range(18)))
        await expect(visit.page.locator("#status")).to_have_text(
            "A question can have at most 16 files: 2 were not attached."
        )
        await expect_chips(visit, *["read"] * 16)
        await attach(visit, "one more.txt")
        await expect(visit.page.locator("#status")).to_contain_text("one was not attached")
        await visit.ask("?")
        await visit.wait_for_answer()
        assert [len(files) for files in sent_attachments(visit)] == [16]


async def test_files_above_the_prompt_limit_are_not_sent(visiting: Visiting) -> None:
    """Together the files exceed one prompt. Nothing is lost, and the question can be sent without one of them."""
    async with visiting(FileEngine()) as visit:
        halves = [payload(f"{number}.txt", "x" * 600_000) for number in range(2)]
        await visit.page.locator("#attach").set_input_files(halves)
        await expect_chips(visit, "read", "read")
        await visit.ask("How long?")
        await expect(visit.page.locator("#status")).to_contain_text("Remove a file")
        await expect(visit.page.locator("#question")).to_have_value("How long?")
        assert visit.engine.prompts == []
        await visit.page.get_by_role("button", name="Remove 1.txt").click()
        await visit.page.click("#send")
        await visit.wait_for_answer()
        assert [[len(file.text) for file in files] for files in sent_attachments(visit)] == [[600_000]]


async def test_a_question_that_is_too_long_alone_is_not_sent(visiting: Visiting) -> None:
    """The status does not suggest removing a file, because that would not help. The text stays."""
    async with visiting(FileEngine()) as visit:
        await attach(visit, "notes.txt")
        await expect_chips(visit, "read")
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


async def test_the_list_of_files_fades_where_it_continues(visiting: Visiting) -> None:
    """The list scrolls to a file that failed, without moving the page."""
    async with visiting(FileEngine(), viewport={"width": 390, "height": 844}) as visit:
        visit.expected = "400"
        files = visit.page.locator("#files")
        await attach(visit, "a.txt", "b.txt")
        await expect_chips(visit, "read", "read")
        await expect(files).to_have_class("files")
        await attach(visit, *(f"{number}.txt" for number in range(8)))
        await expect(files).to_have_class("files below")
        await attach(visit, "scan.pdf")
        await expect(files).to_have_class("files above")
        await expect(files.locator(".failed")).to_be_in_viewport(ratio=1)
        assert await visit.page.evaluate("() => scrollY") == 0


async def test_after_an_error_the_files_are_in_the_composer_again(visiting: Visiting) -> None:
    """A retry sends them again, without those that were removed meanwhile."""
    outcomes: list[Any] = [[ModelUnavailable("away")], [ModelUnavailable("away")], [Text("Now."), DONE]]
    async with visiting(FileEngine(lambda _: outcomes.pop(0))) as visit:
        await attach(visit, "leave.txt", "sick.txt")
        await expect_chips(visit, "read", "read")
        await visit.ask("How long?")
        again = visit.page.get_by_role("button", name="Try again")
        await again.click()
        await expect(visit.page.locator(".error")).to_have_count(1)
        await expect_chips(visit, "read", "read")
        await visit.page.get_by_role("button", name="Remove sick.txt").click()
        await again.click()
        await visit.wait_for_answer()

        assert [[file.name for file in files] for files in sent_attachments(visit)] == [
            ["leave.txt", "sick.txt"],
            ["leave.txt", "sick.txt"],
            ["leave.txt"],
        ]
        await expect(visit.page.locator("#files")).to_be_hidden()


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
    """The page is checked with files in each state and after the answer. It needs no horizontal scrolling."""
    engine = FileEngine()
    async with visiting(engine, reduced_motion="reduce", **options) as visit:
        visit.expected = "400"
        await attach(visit, f"{'unbroken' * 20}.txt", "scan.pdf", "slow.pdf")
        await expect_chips(visit, "read", "failed", "reading")
        problems = await violations(visit.page)
        assert await visit.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        engine.released.set()
        await expect_chips(visit, "read", "failed", "read")
        await visit.ask("How long?")
        await visit.wait_for_answer()
        problems += await violations(visit.page)

        assert problems == []
        assert await visit.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
