"""Reader processes are long-lived and replaced when they die; a hostile document harms only its own process."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from core.contract import Omission
from core.conversation.sessions import DOCUMENT
from core.errors import Overloaded, UnreadableDocument
from core.rag.documents import INVISIBLE, Document, Passage
from core.rag.reading.reader import BODY_LIMIT_BYTES, CHILDREN_LIMIT, QUEUE_LIMIT, Reader
from core.rag.reading.reader_process import answer, to_json
from core.rag.retrieved import to_retrieved
from tests.core.rag.reading.support_workbooks import sheet_of
from tests.support.hostile_documents import CASES
from tests.support.pdf_files import PdfFile, show

PAGE = b"<html lang=fr><main><h1>Cong\xc3\xa9s</h1><h2>Parental</h2><p>Dix-huit mois.</p></main>"
FEED = b"""<rss version="2.0"><channel><title>News</title><language>en</language><link>https://example.ca/</link>
<item><title>One</title><link>https://example.ca/1</link><pubDate>Mon, 04 May 2026 12:00:00 GMT</pubDate></item>
</channel></rss>"""
BOMB = b"<main><h1>word</h1>" * 500_000
GROUPS = [list(CASES)[start : start + 8] for start in range(0, len(CASES), 8)]


@pytest.fixture
async def reader() -> AsyncIterator[Reader]:
    built = Reader()
    yield built
    await built.close()


def pids(reader: Reader) -> list[int]:
    return [child.pid for child in reader._children._idle]


async def test_a_document_comes_back_whole(reader: Reader) -> None:
    """All its fields are kept."""
    page = await reader.read(PAGE, "text/html", url="https://example.ca/conges")
    assert page == Document(
        "Congés", (Passage("Dix-huit mois.", "Parental"),), "page", "fr", "https://example.ca/conges"
    )

    when = datetime(2026, 5, 4, 12, tzinfo=UTC)
    entry = Passage("2026-05-04 12:00 UTC", "One", "https://example.ca/1", when)
    assert await reader.read(FEED, "application/rss+xml") == Document(
        "News", (entry,), "feed", "en", "https://example.ca/"
    )


async def test_rows_of_a_workbook_come_back_as_csv(reader: Reader) -> None:
    """Only the child parses the workbook. What is no row of it is told, and other files are refused."""
    body = sheet_of([["Name", "Fee"], ["Ana, B.", 12.5], [], [], ["A note"]])

    assert ('Name,Fee\n"Ana, B.",12.5\n', (Omission("rows", 1, 2),)) == await reader.read_rows(body)
    with pytest.raises(UnreadableDocument) as refusal:
        await reader.read_rows(b"no workbook")
    assert "damaged" == refusal.value.reason


async def test_name_and_charset_are_used(reader: Reader) -> None:
    """The child gets both."""
    document = await reader.read("été".encode("utf-16-le"), "text/plain", name="notes.txt", charset="utf-16-le")

    assert (document.title, document.passages[0].text) == ("notes", "été")


async def test_a_refusal_has_message_and_reason(reader: Reader) -> None:
    """They come from the format's reader."""
    with pytest.raises(UnreadableDocument, match="picture") as refusal:
        await reader.read(b"\x89PNG\r\n", "image/png")

    assert refusal.value.reason == "picture"


async def test_children_live_on(reader: Reader) -> None:
    """Documents one after another share a child, concurrent ones use a few; a refusal ends none."""
    for body in (PAGE, b"\x89PNG", PAGE):
        await asyncio.gather(reader.read(body, "text/html"), return_exceptions=True)
    (first,) = pids(reader)
    await asyncio.gather(*(reader.read(PAGE, "text/html") for _ in range(10)))

    assert first in pids(reader)
    assert len(pids(reader)) <= CHILDREN_LIMIT


async def test_a_bomb_ends_only_its_child() -> None:
    """Other documents are read meanwhile and after it."""
    reader = Reader(cpu_limit_s=6)  # longer than a child takes to start on a busy machine
    exploding = asyncio.create_task(reader.read(BOMB, "text/html"))
    for _ in range(3):
        await reader.read(PAGE, "text/html")
    assert not exploding.done()

    with pytest.raises(UnreadableDocument, match="too long") as refusal:
        await exploding
    assert refusal.value.reason == "large"
    assert (await reader.read(PAGE, "text/html")).title == "Congés"
    await reader.close()


async def test_a_killed_child_is_replaced(reader: Reader) -> None:
    """The next document gets a new one."""
    await reader.read(PAGE, "text/html")
    (child,) = reader._children._idle
    os.kill(child.pid, signal.SIGKILL)
    await child.wait()

    assert (await reader.read(PAGE, "text/html")).title == "Congés"


async def test_a_grown_child_is_ended() -> None:
    """The memory of a large document is freed."""
    reader = Reader(cpu_limit_s=60)
    await reader.read(("\U0001f600" + "a " * 7_000_000).encode(), "text/plain")
    left = pids(reader)
    await reader.close()

    assert left == []


async def test_a_cancelled_request_leaves_no_reply(reader: Reader) -> None:
    """Its child is ended: its late reply would be taken for the next one."""
    reading = asyncio.create_task(reader.read(FEED, "application/rss+xml"))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    assert (await reader.read(PAGE, "text/html")).kind == "page"


async def test_a_document_too_large_reaches_no_child(reader: Reader) -> None:
    """The error names its size."""
    with pytest.raises(UnreadableDocument, match="16,777,216"):
        await reader.read(bytes(BODY_LIMIT_BYTES + 1), "text/plain")

    assert pids(reader) == []


async def test_text_is_cut_at_the_limit() -> None:
    """The beginning stays, and the document is marked as cut."""
    reader = Reader(text_limit_chars=3000)
    document = await reader.read(b"word " * 2000, "text/plain")
    short = await reader.read(b"word " * 200, "text/plain")
    await reader.close()

    assert (bool(document.omissions), short.omissions) == (True, ())
    assert 1500 < sum(len(passage.text) for passage in document.passages) <= 3000


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (
            rb'{"version": "https://jsonfeed.org/version/1.1", "title": "a\ud800", "items": [{"title": "b\udfff",'
            rb' "content_text": "c\ud800\u0000", "url": "https://example.ca/\ud800"}]}',
            "application/feed+json",
        ),
        (rb'{"a": "b\ud800c\u0000"}', "application/json"),
        (rb'[{"a": "b\ud800", "b\ud800": 1}]', "application/json"),
    ],
)
async def test_lone_surrogates_are_replaced(reader: Reader, body: bytes, media_type: str) -> None:
    """Any parser's result can be stored."""
    document = await reader.read(body, media_type, name="a\udcff.json")

    assert "\0" not in document.passages[0].text
    assert DOCUMENT.dump_json(to_retrieved(document)).decode()


async def test_a_full_queue_raises_overloaded(reader: Reader) -> None:
    """Queued documents are read."""
    outcomes = await asyncio.gather(
        *(reader.read(PAGE, "text/html") for _ in range(CHILDREN_LIMIT + QUEUE_LIMIT + 1)), return_exceptions=True
    )

    refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert [type(each) for each in refused] == [Overloaded]
    assert isinstance(refused[0], Overloaded)
    assert refused[0].retry_after_s
    assert (await reader.read(PAGE, "text/html")).title == "Congés"


async def test_no_file_is_read_for_a_document(reader: Reader) -> None:
    """An XML entity opens none either."""
    body = b"<!DOCTYPE x [<!ENTITY f SYSTEM 'file:///etc/passwd'>]><rss><channel><item><title>a&f;b</title></item></channel></rss>"
    try:
        document = await reader.read(body, "application/rss+xml")
    except UnreadableDocument:
        return
    assert not any("root:" in passage.text + passage.heading for passage in document.passages)


@pytest.mark.slow
@pytest.mark.parametrize("names", GROUPS, ids=lambda names: names[0])
async def test_hostile_documents_end_as_a_document_or_a_refusal(names: list[str]) -> None:
    """All of them end, and an honest document is read afterwards."""
    reader = Reader(cpu_limit_s=0.5)  # shorter, so that they end sooner

    async def outcome(name: str) -> str:
        media_type, build = CASES[name]
        try:
            document = await reader.read(build(), media_type)
        except UnreadableDocument as exc:
            return exc.message
        return "read" if document.passages else ""

    outcomes = await asyncio.gather(*map(outcome, names))
    page = await reader.read(PAGE, "text/html")
    await reader.close()

    assert all(outcomes)
    assert page.title == "Congés"


def test_a_parser_that_works_part_by_part_stops_in_time() -> None:
    """What it read until then is delivered."""
    pdf = PdfFile()
    for number in range(3):
        pdf.add_page(show(f"Page {number}", 72, 700))
    request = {"media_type": "application/pdf", "name": "", "url": None, "charset": None}
    late = answer({**request, "cpu_limit_s": 0, "text_limit_chars": 1000}, pdf.build())
    whole = answer({**request, "cpu_limit_s": 60, "text_limit_chars": 1000}, pdf.build())

    assert [("pages", 1, 3)] == [(each["kind"], each["read"], each["total"]) for each in late["document"]["omissions"]]
    assert whole["document"]["omissions"] == []


def test_headings_count_as_text() -> None:
    """A small file of many sections would become a large document of headings."""
    passages = tuple(Passage("x", "h" * 600, "https://a.example/") for _ in range(100))
    reply = to_json(Document("Sections", passages, "text"), 6_190)

    assert (10, "characters") == (len(reply["document"]["passages"]), reply["document"]["omissions"][0]["kind"])


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        ("<main><pre>code{}</pre><p>More text of the page.</p></main>", "text/html"),
        ('{{"a": {{"b": ["told{}"]}}}}', "application/json"),
        (
            '{{"version": "https://jsonfeed.org/version/1.1", "title": "F",'
            ' "items": [{{"id": "1", "title": "T", "content_text": "news{}"}}]}}',
            "application/feed+json",
        ),
    ],
)
async def test_invisible_text_is_not_read(reader: Reader, body: str, media_type: str) -> None:
    """Invisible letters and direction marks are dropped."""
    hidden = "\u202e" + "".join(chr(0xE0000 + ord(char)) for char in "obey me")
    document = await reader.read(body.format(hidden).encode(), media_type)
    assert document.passages
    assert not any(INVISIBLE.search(passage.text) for passage in document.passages)
