"""/read: a file in, its text out, whatever the file is; and the limits that hold while it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from structlog.testing import capture_logs

from core.bootstrap import fetcher_of
from core.configuration.settings import Settings
from core.contract import Attachment
from core.errors import UnreadableDocument
from core.rag.reading.reader import Reader
from core.rag.retrieval import Retriever
from tests.core.rag.reading.test_files import DOCX, pdf, word
from tests.support.fakes import FakeEngine
from tests.support.hostile_documents import CASES, MB
from tests.web.support_site import Site, site
from web.limits import Limits

Problem = tuple[int, str, str]  # status, media type, code


class Reading(FakeEngine):
    """Reads as the real engine does."""

    def __init__(self, settings: Settings, reader: Reader) -> None:
        super().__init__()
        self.retriever = Retriever(fetcher_of(settings), reader)

    async def read(self, name: str, body: bytes, media_type: str) -> Attachment:
        return await self.retriever.file(name, body, media_type)


class Holding(FakeEngine):
    """Holds every file until `released`."""

    def __init__(self) -> None:
        super().__init__()
        self.held: asyncio.Queue[str] = asyncio.Queue()
        self.released = asyncio.Event()
        self.let_go = asyncio.Event()

    async def read(self, name: str, body: bytes, media_type: str) -> Attachment:
        self.held.put_nowait(name)
        try:
            await self.released.wait()
        except asyncio.CancelledError:
            self.let_go.set()
            raise
        return Attachment(name, f"{len(body)} of {media_type}")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader() -> AsyncIterator[Reader]:
    """One for all: its children take a second to start."""
    built = Reader(cpu_limit_s=1)
    yield built
    await built.close()


@pytest_asyncio.fixture(loop_scope="module")
async def reading(own_settings: Settings, reader: Reader) -> AsyncIterator[Site]:
    async with site(own_settings, Reading(own_settings, reader)) as running:
        yield running


in_the_readers_loop = pytest.mark.asyncio(loop_scope="module")


async def read(http: ClientSession, name: str, body: Any, media_type: str = "text/plain", behind: str = "") -> Any:
    """What comes back, or the problem. `behind`: the address that a proxy tells."""
    headers = {"Content-Type": media_type, **({"X-Forwarded-For": behind} if behind else {})}
    async with http.post("/read", params={"name": name}, data=body, headers=headers) as response:
        told = await response.json(content_type=None)
        if response.status == 200:
            assert response.content_type == "application/json"
            return told
        return response.status, response.content_type, told["code"]


def problem(status: int, code: str) -> Problem:
    return status, "application/problem+json", code


def letter(document: Any) -> None:
    document.add_heading("Congés", 1)
    document.add_paragraph("Dix-huit mois.")


@in_the_readers_loop
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
        ("plan.pdf", "application/pdf", pdf("Eighteen months."), "Eighteen months."),
        ("plan.docx", DOCX, word(letter), "Dix-huit mois."),
        ("plan.docx", "application/octet-stream", word(letter), "Dix-huit mois."),
    ],
)
async def test_a_file_comes_back_as_text(reading: Site, name: str, media_type: str, body: bytes, expected: str) -> None:
    """Text, Markdown, HTML, CSV, JSON, PDF, Word; also where the browser knows no media type."""
    told = await read(reading.http, name, body, media_type)

    assert (told["name"], "Menu" in told["text"], told["cut"]) == (name, False, False)
    assert expected in told["text"]


@in_the_readers_loop
@pytest.mark.parametrize(
    ("name", "body", "media_type"),
    [
        ("locked.pdf", pdf("Secret.", password="x"), "application/pdf"),
        ("scanned.pdf", pdf(""), "application/pdf"),
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
async def test_what_cannot_be_read_is_refused_with_a_reason(
    reading: Site, name: str, body: bytes, media_type: str
) -> None:
    """Locked, scanned, damaged, of another kind than it says, or empty."""
    assert problem(400, "unreadable") == await read(reading.http, name, body, media_type)


@in_the_readers_loop
async def test_the_reason_is_told_to_programs(reading: Site) -> None:
    """Beside the sentence, where it is one that a person can do something about."""
    headers = {"Content-Type": "application/pdf"}
    async with reading.http.post("/read?name=a.pdf", data=pdf("Secret.", password="x"), headers=headers) as response:
        told = await response.json(content_type=None)

    assert (told["code"], told["reason"], "password" in told["detail"]) == ("unreadable", "locked", True)


@in_the_readers_loop
async def test_a_file_that_is_too_long_is_read_in_part(reading: Site) -> None:
    """And that is said."""
    told = await read(reading.http, "long.txt", b"word " * 250_000)

    assert told["cut"] is True
    assert 900_000 < len(told["text"]) < 1_250_000


@in_the_readers_loop
@pytest.mark.parametrize(
    "name",
    ["Word that unpacks to 256 MB", "Word of billion laughs", "PDF that unpacks to 256 MB", "deep divs", "noise"],
)
async def test_a_bomb_is_a_refusal_and_the_next_file_is_read(reading: Site, name: str) -> None:
    """Nobody waits for it in vain, and health is answered meanwhile."""
    media_type, build = CASES[name]
    exploding = asyncio.create_task(read(reading.http, "bomb", build(), media_type))
    async with reading.http.get("/healthz") as response:
        assert response.status == 200
    outcome = await exploding

    assert "text" in outcome or problem(400, "unreadable") == outcome
    assert (await read(reading.http, "a.txt", b"Honest."))["text"] == "Honest."


async def test_the_limit_is_the_files_own(own_settings: Settings) -> None:
    """Larger than other bodies; a byte more is refused, announced or not, and can be known before."""

    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(9):
            yield b"x" * 1024

    async with site(own_settings, body_limit_bytes=2048, file_limit_bytes=8192) as running:
        async with running.http.get("/read") as response:
            assert await response.json() == {"file_limit_bytes": 8192, "prompt_limit_bytes": 2048}
        assert await read(running.http, "a.txt", b"x" * 8192) == {
            "name": "a.txt",
            "text": "x" * 8192,
            "cut": False,
        }
        assert problem(413, "too_large") == await read(running.http, "a.txt", b"x" * 8193)
        assert problem(413, "too_large") == await read(running.http, "a.txt", unannounced())


async def test_a_file_of_some_megabytes(whisper: Site) -> None:
    """As it is shipped: what the page sends most is larger than a prompt may be."""
    told = await read(whisper.http, "a.txt", b"x" * 5 * MB)

    assert len(told["text"]) == 5 * MB


async def test_a_file_that_does_not_arrive(own_settings: Settings) -> None:
    """408; a large one has more time than other bodies, in proportion."""

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
    ("given", "expected"),
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
async def test_a_name_is_a_name(whisper: Site, given: str, expected: str) -> None:
    """No folders, no line ends, nothing that turns the reading direction; what it means elsewhere is not our matter."""
    assert expected == (await read(whisper.http, given, b"x"))["name"]


@pytest.mark.parametrize(
    "query", ["", "?name=", "?name=..", "?name=a/", "?name=%FF", "?name=a&name=b", f"?name={'a' * 256}"]
)
async def test_a_file_has_one_name(whisper: Site, query: str) -> None:
    """A missing, doubled or impossible one is refused."""
    async with whisper.http.post(f"/read{query}", data=b"x", headers={"Content-Type": "text/plain"}) as response:
        told = await response.json(content_type=None)
    assert (400, "bad_request") == (response.status, told["code"])


@pytest.mark.parametrize("media_type", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded"])
async def test_a_form_is_no_file(whisper: Site, media_type: str) -> None:
    """What was meant is in it, and something else besides."""
    assert problem(415, "media_type") == await read(whisper.http, "a.txt", b"--x--", media_type)


async def test_a_compressed_body_is_not_unpacked(whisper: Site) -> None:
    """A bomb would be one before any reader sees it."""
    headers = {"Content-Type": "text/plain", "Content-Encoding": "gzip"}
    async with whisper.http.post("/read?name=a.txt", data=b"\x1f\x8b", headers=headers) as response:
        assert response.status == 415


async def test_pages_of_other_sites_cannot_have_files_read(whisper: Site) -> None:
    """As with every endpoint."""
    headers = {"Content-Type": "text/plain", "Origin": "https://evil.example"}
    async with whisper.http.post("/read?name=a.txt", data=b"x", headers=headers) as response:
        assert response.status == 403


async def test_few_are_held_at_once(own_settings: Settings) -> None:
    """The next waits for a place, and is told to come back if there is none in time."""
    engine = Holding()
    async with site(own_settings, engine, Limits(files=1), read_timeout_s=0.2) as running:
        first = asyncio.create_task(read(running.http, "first.txt", b"xx"))
        await engine.held.get()
        assert problem(503, "overloaded") == await read(running.http, "second.txt", b"x")
        third = asyncio.create_task(read(running.http, "third.txt", b"xxx"))
        engine.released.set()

        assert [await first, await third] == [
            {"name": "first.txt", "text": "2 of text/plain", "cut": False},
            {"name": "third.txt", "text": "3 of text/plain", "cut": False},
        ]


async def test_nobody_takes_all_places(own_settings: Settings) -> None:
    """Somebody else's file is read while one person's files fill what one may have."""
    engine = Holding()
    proxied = {"trusted": ("127.0.0.0/8",), "read_timeout_s": 0.2}
    async with site(own_settings, engine, Limits(files=2), **proxied) as running:
        first = asyncio.create_task(read(running.http, "first.txt", b"xx", behind="198.51.100.1"))
        await engine.held.get()
        assert problem(503, "overloaded") == await read(running.http, "second.txt", b"x", behind="198.51.100.1")
        other = asyncio.create_task(read(running.http, "other.txt", b"xxx", behind="198.51.100.2"))
        assert "other.txt" == await engine.held.get()
        engine.released.set()

        assert ["first.txt", "other.txt"] == [(await first)["name"], (await other)["name"]]


async def test_who_leaves_gives_the_place_free(own_settings: Settings) -> None:
    """The reading is cancelled, and the next file is read."""
    engine = Holding()
    async with site(own_settings, engine, Limits(files=1)) as running:
        leaving = asyncio.create_task(read(running.http, "first.txt", b"x"))
        await engine.held.get()
        leaving.cancel()
        await engine.let_go.wait()
        engine.released.set()

        assert (await read(running.http, "second.txt", b"x"))["name"] == "second.txt"


async def test_nothing_of_a_file_reaches_a_log(own_settings: Settings) -> None:
    """Neither its name nor its text, also where it is refused."""

    class Refusing(FakeEngine):
        async def read(self, name: str, body: bytes, media_type: str) -> Attachment:
            raise UnreadableDocument("there is no text in it")

    with capture_logs() as events:
        async with site(own_settings, Refusing()) as running:
            await read(running.http, "PLANTED.txt", b"PLANTED")

    assert events
    assert "planted" not in str(events).lower()
