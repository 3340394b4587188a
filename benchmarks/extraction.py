"""Compares the extraction of saved real pages to trafilatura's, and measures how hostile documents end.

A person marked the content of each page (saved_pages.md). The score is F1 of word 4-grams or single words. Both sides
get only the page's bytes, and write their own title before the text.

    .venv/bin/python -m benchmarks.extraction [--words 1]
    .venv/bin/python -m benchmarks.extraction --hostile
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import resource
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import trafilatura
from rich.console import Console
from rich.table import Table

from benchmarks.saved_pages import MEASURED_WORDS, SavedPage, saved_pages
from core.errors import UnreadableDocument
from core.rag.reading.charset import decode
from core.rag.reading.pages import extract
from core.rag.reading.raw_document import RawDocument
from core.rag.reading.reader import Reader
from tests.support.hostile_documents import CASES
from tests.support.written_pages import Agreement, agreement, plain_text

LANDMARKS = "main, [role~=main], article, [role~=article]"
TICK_S = 0.005
ENDED_LIMIT_S = 5.0  # the time in which each hostile document must end


@dataclass(frozen=True)
class Row:
    name: str
    landmarks: bool
    ours: Agreement
    theirs: Agreement
    ours_ms: float
    theirs_ms: float


def ours(html: bytes) -> str:
    return plain_text(extract.parse_page(RawDocument(html)))


def theirs(html: bytes) -> str:
    extracted = trafilatura.bare_extraction(html, include_comments=False, include_tables=True)
    if extracted is None:
        return ""
    title, text = extracted.title or "", extracted.text or ""
    return text if text.startswith(title) else f"{title}\n{text}"


def time_call(read: Callable[[bytes], str], html: bytes) -> tuple[str, float]:
    start = time.perf_counter()
    return read(html), (time.perf_counter() - start) * 1000


def row(page: SavedPage, words: int) -> Row:
    (mine, mine_ms), (other, other_ms) = time_call(ours, page.html), time_call(theirs, page.html)
    landmarks = extract.parse_html(decode(page.html, is_html=True)).select_one(LANDMARKS) is not None
    scores = agreement(mine, page.expected[words], words), agreement(other, page.expected[words], words)
    return Row(page.name, landmarks, *scores, mine_ms, other_ms)


def build_table(rows: list[Row], words: int) -> Table:
    table = Table(title=f"precision, recall, F1 of {'words' if words == 1 else f'{words}-grams of words'}")
    for name in ("page", "landmarks", "ours P", "R", "F1", "trafilatura P", "R", "F1"):
        table.add_column(name, justify="left" if name == "page" else "right")
    for each in rows:
        table.add_row(each.name, "yes" if each.landmarks else "", *cells(each.ours), *cells(each.theirs))
    table.add_section()
    marked = [each for each in rows if each.landmarks]
    for name, some in (("all", rows), ("landmarks", marked), ("none", [each for each in rows if not each.landmarks])):
        table.add_row(f"mean, {name} ({len(some)})", "", *means(some, "ours"), *means(some, "theirs"))
    return table


def cells(score: Agreement) -> list[str]:
    return [f"{value:.3f}" for value in (score.precision, score.recall, score.f1)]


def means(rows: list[Row], side: str) -> list[str]:
    scores = [getattr(each, side) for each in rows]
    return [f"{mean(getattr(score, part) for score in scores):.3f}" for part in ("precision", "recall", "f1")]


def compare(words: int) -> None:
    rows = [row(page, words) for page in saved_pages()]
    console = Console(width=130)
    console.print(build_table(rows, words))
    console.print(
        f"a page: {mean(r.ours_ms for r in rows):.0f} ms ours, {mean(r.theirs_ms for r in rows):.0f} ms trafilatura"
    )


@contextlib.asynccontextmanager
async def measure_lag() -> AsyncIterator[list[float]]:
    """Yields a list that collects the delays of the event loop, in ms, while the block runs."""
    late: list[float] = []

    async def tick() -> None:
        while True:
            start = time.perf_counter()
            await asyncio.sleep(TICK_S)
            late.append((time.perf_counter() - start - TICK_S) * 1000)

    ticking = asyncio.create_task(tick())
    try:
        yield late
    finally:
        ticking.cancel()


def resident_bytes() -> int:
    """The resident memory of this process, on Linux."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


async def outcome(reader: Reader, body: bytes, media_type: str) -> str:
    try:
        document = await reader.read(body, media_type)
    except UnreadableDocument as exc:
        return exc.message
    return f"a {document.kind} of {len(document.passages)} passages"


async def hurt() -> None:
    table = Table(title="hostile documents")
    for name in ("document", "MB", "s", "loop late, ms", "outcome"):
        table.add_column(name, justify="right" if name in ("MB", "s", "loop late, ms") else "left")
    reader = Reader()
    took, lateness = [], []
    await reader.read(b"<p>warm</p>", "text/html")
    bodies = {name: (media_type, build()) for name, (media_type, build) in CASES.items()}
    before = resident_bytes()
    for name, (media_type, body) in bodies.items():
        start = time.perf_counter()
        async with measure_lag() as late:
            told = await outcome(reader, body, media_type)
        took.append(time.perf_counter() - start)
        lateness.append(max(late, default=0))
        table.add_row(name, f"{len(body) / 1e6:.1f}", f"{took[-1]:.2f}", f"{lateness[-1]:.0f}", told)
    grown = (resident_bytes() - before) / 1e6
    await reader.close()
    Console(width=170).print(table)
    slow = sum(each > ENDED_LIMIT_S for each in took)
    print(f"{len(took)} documents: slowest {max(took):.2f} s, {slow} beyond {ENDED_LIMIT_S:.0f} s; ", end="")
    print(f"loop at most {max(lateness):.0f} ms late; this process grew by {grown:.0f} MB; ", end="")
    print(f"{os.getloadavg()[0]:.1f} processes wanted {os.cpu_count()} cores")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--words", type=int, default=4, choices=MEASURED_WORDS, help="how many words make a gram")
    parser.add_argument("--hostile", action="store_true", help="hostile documents instead of real pages")
    told = parser.parse_args()
    if told.hostile:
        asyncio.run(hurt())
    else:
        compare(told.words)


if __name__ == "__main__":
    main()
