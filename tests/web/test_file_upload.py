"""/read: a file in, its text out, for each kind of file; and the limits on uploads."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any

import pypdf
import pytest
import pytest_asyncio
from aiohttp import ClientSession
from structlog.testing import capture_logs

from core.bootstrap import build_fetcher
from core.configuration.settings import Settings
from core.contract import Attachment
from core.errors import UnreadableDocument
from core.rag.reading.reader import Reader
from core.rag.retrieval import Retriever
from tests.core.rag.reading.test_files import DOCX
from tests.support.fake_engine import FakeEngine
from tests.support.hostile_documents import CASES, MB
from tests.support.pdf_files import PdfFile, show
from tests.support.word_files import paragraph, word_file
from tests.web.support_site import Site, site
from web.service import WebLimits

Problem = tuple[int, str, str]  # status, media type, code


class ReadingEngine(FakeEngine):
    """Reads files as the real engine does."""

    def __init__(self, settings: Settings, reader: Reader) -> None:
        super().__init__()
        self.retriever = Retriever(build_fetcher(settings), reader)

    async def read(self, name: str, body: bytes, media_type: str) -> Attachment:
        return await self.retriever.read_file(name, body, media_type)


class HoldingEngine(FakeEngine):
    """Holds every file until `released`."""

    def __init__(self) -> None:
        super().__init__()
        self.reading: asyncio.Queue[str] = asyncio.Queue()
        self.released = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def read(self, name: str, body: bytes, media_type: str) -> Attachment:
        self.reading.put_nowait(name)
        try:
            await self.released.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return Attachment(name, f"{len(body)} of {media_type}")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader() -> AsyncIterator[Reader]:
    """One for the module, because its child processes take a second to start."""
    built = Reader(cpu_limit_s=1)
    yield built
    await built.close()


@pytest_asyncio.fixture(loop_scope="module")
async def reading_site(own_settings: Settings, reader: Reader) -> AsyncIterator[Site]:
    async with site(own_settings, ReadingEngine(own_settings, reader)) as running:
        yield running


in_reader_loop = pytest.mark.asyncio(loop_scope="module")


async def upload(http: ClientSession, name: str, body: Any, media_type: str = "text/plain", behind: str = "") -> Any:
    """The response, or the problem. `behind`: the client address that a proxy reports."""
    headers = {"Content-Type": media_type, **({"X-Forwarded-For": behind} if behind else {})}
    async with http.post("/read", params={"name": name}, data=body, headers=headers) as response:
        answer = await response.json(content_type=None)
        if response.status == 200:
            assert response.content_type == "application/json"
            return answer
        return response.status, response.content_type, answer["code"]


def problem(status: int, code: str) -> Problem:
    return status, "application/problem+json", code


def one_page_pdf(content: str) -> bytes:
    written = PdfFile()
    written.add_page(content)
    return written.build()


def locked_pdf() -> bytes:
    writer = pypdf.PdfWriter(io.BytesIO(one_page_pdf(show("Secret.", 72, 700))))
    writer.encrypt("x")
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


LETTER = word_file(paragraph("Dix-huit mois."))
LOCKED_PDF = locked_pdf()


@in_reader_loop
@pytest.mark.parametrize(
    ("name", "media_type", "body", "expected"),
    [
        ("notes.txt", "text/plain", "Un été.".encode("cp1252"), "Un été."),
        ("notes.md", "", b"# Leave\n\nEighteen months.", "Eighteen months."),
        (
            "page.html",
            "text/html",
            b"<nav>Menu</nav><main><h1>A</h1><p>Eighteen months.</p></main>",
            "Eighteen months.",
        ),
        ("rows.csv", "text/csv", b"name;days\nAnne;12\n", "| Anne | 12 |"),
        ("data.json", "application/json", b'{"days": 12}', '"days": 12'),
        ("plan.pdf", "application/pdf", one_page_pdf(show("Eighteen months.", 72, 700)), "Eighteen months."),
        ("plan.docx", DOCX, LETTER, "Dix-huit mois."),
        ("plan.docx", "application/octet-stream", LETTER, "Dix-huit mois."),
        ("main.ts", "video/mp2t", b"if (a) {\n  b();\n}", "if (a) {\n  b();\n}"),
        ("deploy.yaml", "application/octet-stream", b"a:\n  b: 1", "a:\n  b: 1"),
        ("pom.xml", "text/xml", b"<project>\n  <a/>\n</project>", "<project>\n  <a/>\n</project>"),
    ],
)
async def test_file_is_returned_as_text(
    reading_site: Site, name: str, media_type: str, body: bytes, expected: str
) -> None:
    """Text, tables, pages, code and documents; also where the browser knows no media type, or a wrong one."""
    answer = await upload(reading_site.http, name, body, media_type)

    assert (answer["name"], "Menu" in answer["text"], answer["omissions"]) == (name, False, [])
    assert expected in answer["text"]


@in_reader_loop
@pytest.mark.parametrize(
    ("name", "body", "media_type"),
    [
        ("locked.pdf", LOCKED_PDF, "application/pdf"),
        ("scanned.pdf", one_page_pdf(""), "application/pdf"),
        ("photo.txt", b"\x89PNG\r\n\x1a\n", "text/plain"),
        ("photo.png", b"\x89PNG\r\n\x1a\n", "image/png"),
        ("film.mp4", b"\x00\x00\x00 ftypisom", "video/mp4"),
        ("plan.docx", b"PK\x03\x04 no zip after all", DOCX),
        ("plan.pdf", b"%PDF-1.7 and nothing more", "application/pdf"),
        ("plan.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/msword"),
        ("empty.txt", b"", "text/plain"),
        ("zeros.txt", bytes(5000), "text/plain"),
    ],
)
async def test_unreadable_file_is_refused(reading_site: Site, name: str, body: bytes, media_type: str) -> None:
    """Locked, scanned, damaged, mislabelled or empty."""
    assert problem(400, "unreadable") == await upload(reading_site.http, name, body, media_type)


@in_reader_loop
async def test_problem_holds_the_reason(reading_site: Site) -> None:
    """`reason` is set where a person can do something about it."""
    headers = {"Content-Type": "application/pdf"}
    async with reading_site.http.post("/read?name=a.pdf", data=LOCKED_PDF, headers=headers) as response:
        answer = await response.json(content_type=None)

    assert (answer["code"], answer["reason"], "password" in answer["detail"]) == ("unreadable", "locked", True)


@in_reader_loop
async def test_problem_says_what_to_do(reading_site: Site) -> None:
    """An old Word file is to be saved as .docx."""
    async with reading_site.http.post("/read?name=plan.doc", data=b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") as response:
        answer = await response.json(content_type=None)

    assert (answer["reason"], "save it as .docx" in answer["detail"]) == ("old_word", True)


@in_reader_loop
async def test_long_file_is_cut(reading_site: Site) -> None:
    """`cut` is true."""
    answer = await upload(reading_site.http, "long.txt", b"word " * 250_000)

    assert answer["omissions"][0]["kind"] == "characters"
    assert 900_000 < len(answer["text"]) < 1_250_000


@pytest.mark.slow  # each bomb uses the reader up to its limits
@in_reader_loop
@pytest.mark.parametrize(
    "name",
    ["Word that unpacks to 256 MB", "Word of billion laughs", "PDF that unpacks to 256 MB", "deep divs", "noise"],
)
async def test_bomb_is_refused_and_the_next_file_is_read(reading_site: Site, name: str) -> None:
    """Meanwhile, /healthz answers."""
    media_type, build = CASES[name]
    exploding = asyncio.create_task(upload(reading_site.http, "bomb", build(), media_type))
    async with reading_site.http.get("/healthz") as response:
        assert response.status == 200
    outcome = await exploding

    assert "text" in outcome or problem(400, "unreadable") == outcome
    assert (await upload(reading_site.http, "a.txt", b"Honest."))["text"] == "Honest."


async def test_file_limit_differs_from_the_body_limit(own_settings: Settings) -> None:
    """GET /read shows both; one byte more is refused, with or without Content-Length."""

    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(9):
            yield b"x" * 1024

    async with site(own_settings, body_limit_bytes=2048, file_limit_bytes=8192) as running:
        async with running.http.get("/read") as response:
            assert await response.json() == {"file_limit_bytes": 8192, "prompt_limit_bytes": 2048}
        assert await upload(running.http, "a.txt", b"x" * 8192) == {
            "name": "a.txt",
            "text": "x" * 8192,
            "omissions": [],
        }
        assert problem(413, "too_large") == await upload(running.http, "a.txt", b"x" * 8193)
        assert problem(413, "too_large") == await upload(running.http, "a.txt", unannounced())


async def test_file_of_five_megabytes_is_read(whisper: Site) -> None:
    """By default, a file may be larger than a prompt."""
    answer = await upload(whisper.http, "a.txt", b"x" * 5 * MB)

    assert len(answer["text"]) == 5 * MB


async def test_incomplete_upload_is_408(own_settings: Settings) -> None:
    """A large file gets more time, in proportion to its size."""

    async def halting() -> AsyncIterator[bytes]:
        yield b"x" * 1024
        await asyncio.Event().wait()

    headers = {"Content-Type": "text/plain"}
    async with (
        site(own_settings, read_timeout_s=0.05, body_limit_bytes=2048, file_limit_bytes=8192) as running,
        running.http.post("/read?name=a.txt", data=halting(), headers=headers) as response,
    ):
        assert response.status == 408
        assert "within 0.2 s" in (await response.json(content_type=None))["detail"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\Anne\\Plan 2026.docx", "Plan 2026.docx"),
        ("a\r\nX-Evil: 1\x00.txt", "aX-Evil: 1.txt"),
        ("\u202efdp.exe", "fdp.exe"),
        ("  été\u2003 2026 .txt ", "été 2026 .txt"),
        ("<img src=x onerror=1>.md", "<img src=x onerror=1>.md"),
    ],
)
async def test_name_is_reduced_to_a_plain_file_name(whisper: Site, path: str, expected: str) -> None:
    """No folders, no line breaks, no characters that reverse the reading direction."""
    assert expected == (await upload(whisper.http, path, b"x"))["name"]


@pytest.mark.parametrize(
    "query", ["", "?name=", "?name=..", "?name=a/", "?name=%FF", "?name=a&name=b", f"?name={'a' * 256}"]
)
async def test_invalid_name_is_refused(whisper: Site, query: str) -> None:
    """A missing, repeated or impossible name."""
    async with whisper.http.post(f"/read{query}", data=b"x", headers={"Content-Type": "text/plain"}) as response:
        answer = await response.json(content_type=None)
    assert (400, "bad_request") == (response.status, answer["code"])


@pytest.mark.parametrize("media_type", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded"])
async def test_form_is_refused(whisper: Site, media_type: str) -> None:
    """A form holds more than the file."""
    assert problem(415, "media_type") == await upload(whisper.http, "a.txt", b"--x--", media_type)


async def test_compressed_body_is_refused(whisper: Site) -> None:
    """A compression bomb would take effect before the reader sees it."""
    headers = {"Content-Type": "text/plain", "Content-Encoding": "gzip"}
    async with whisper.http.post("/read?name=a.txt", data=b"\x1f\x8b", headers=headers) as response:
        assert response.status == 415


async def test_upload_from_another_site_is_refused(whisper: Site) -> None:
    """The origin guard covers every endpoint."""
    headers = {"Content-Type": "text/plain", "Origin": "https://evil.example"}
    async with whisper.http.post("/read?name=a.txt", data=b"x", headers=headers) as response:
        assert response.status == 403


async def test_uploads_at_once_are_limited(own_settings: Settings) -> None:
    """The next upload waits for a slot, and gets 503 if none is free in time."""
    engine = HoldingEngine()
    async with site(own_settings, engine, WebLimits(files=1), read_timeout_s=0.2) as running:
        first = asyncio.create_task(upload(running.http, "first.txt", b"xx"))
        await engine.reading.get()
        assert problem(503, "overloaded") == await upload(running.http, "second.txt", b"x")
        third = asyncio.create_task(upload(running.http, "third.txt", b"xxx"))
        engine.released.set()

        assert [await first, await third] == [
            {"name": "first.txt", "text": "2 of text/plain", "omissions": []},
            {"name": "third.txt", "text": "3 of text/plain", "omissions": []},
        ]


async def test_one_user_cannot_take_all_slots(own_settings: Settings) -> None:
    """Another user's file is read while one user's files fill their share."""
    engine = HoldingEngine()
    proxied = {"trusted": ("127.0.0.0/8",), "read_timeout_s": 0.2}
    async with site(own_settings, engine, WebLimits(files=2), **proxied) as running:
        first = asyncio.create_task(upload(running.http, "first.txt", b"xx", behind="198.51.100.1"))
        await engine.reading.get()
        assert problem(503, "overloaded") == await upload(running.http, "second.txt", b"x", behind="198.51.100.1")
        other = asyncio.create_task(upload(running.http, "other.txt", b"xxx", behind="198.51.100.2"))
        assert "other.txt" == await engine.reading.get()
        engine.released.set()

        assert ["first.txt", "other.txt"] == [(await first)["name"], (await other)["name"]]


async def test_disconnection_frees_the_slot(own_settings: Settings) -> None:
    """The reading is cancelled, and the next file is read."""
    engine = HoldingEngine()
    async with site(own_settings, engine, WebLimits(files=1)) as running:
        leaving = asyncio.create_task(upload(running.http, "first.txt", b"x"))
        await engine.reading.get()
        leaving.cancel()
        await engine.cancelled.wait()
        engine.released.set()

        assert (await upload(running.http, "second.txt", b"x"))["name"] == "second.txt"


async def test_log_holds_nothing_of_a_file(own_settings: Settings) -> None:
    """The log has neither its name nor its text, also if the file is refused."""

    class Refusing(FakeEngine):
        async def read(self, name: str, body: bytes, media_type: str) -> Attachment:
            raise UnreadableDocument("there is no text in it")

    with capture_logs() as events:
        async with site(own_settings, Refusing()) as running:
            await upload(running.http, "PLANTED.txt", b"PLANTED")

    assert events
    assert "planted" not in str(events).lower()
