"""Measures long PDFs: the time until a question has its passages, the memory of the child, and words without blanks.

One PDF is made here, with 260 pages of known text. The others are manuals of R, typeset by TeX, from a Debian package.
Each is read by a new child, as for the first question. `--peer` reads the same files with another program.

    .venv/bin/python -m benchmarks.long_pdf [--peer markitdown=/opt/markitdown/bin/python]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.corpus.pdf import ENGLISH, page_of
from benchmarks.documents import DocumentProgram, start_peer
from core.rag.candidates import CandidateQuery, Candidates
from core.rag.reading.reader import Reader
from core.rag.retrieved import to_retrieved
from tests.support.known_words import match_words
from tests.support.packages import Package, PackageNotFetched, fetch
from tests.support.pdf_files import PdfFile, show
from tests.support.written_pages import plain_text

PAGES = 260
SECONDS_LIMIT, MEMORY_LIMIT_MB = 3.0, 300
SHOWN_PASSAGES = 10
QUESTION = CandidateQuery("How do I declare the dependencies of a package?")
MANUALS = Package(
    "debian", "r-doc-pdf", "4.2.2.20221110-2", "beb104ad5818d261f280a868294645ca31d7c63365f2c9a55aa3ca9aad5aa71d"
)
MANUAL_FILES = ("R-exts.pdf", "R-admin.pdf", "R-intro.pdf", "R-FAQ.pdf")


@dataclass(frozen=True, slots=True)
class LongReading:
    """`seconds`: from the file's bytes to the chosen passages. `cpu_s`, `peak_mb`: of the child, with its start."""

    pages: str
    seconds: float
    cpu_s: float
    peak_mb: float
    glued: float


def made_pdf(pages: int) -> bytes:
    pdf = PdfFile(title="Annual report")
    for number in range(1, pages + 1):
        paragraphs = [f"Part {number} has the figures of {number * 7}. {paragraph}" for paragraph in ENGLISH * 2]
        pdf.add_page(page_of(paragraphs) + show(str(number), 300, 20, size=9))
    return pdf.build()


def documents() -> Iterator[tuple[str, bytes]]:
    yield f"{PAGES} pages, made here", made_pdf(PAGES)
    try:
        folder = fetch(MANUALS) / "usr/share/R/doc/manual"
    except PackageNotFetched as exc:
        print(exc, file=sys.stderr)
        return
    for name in MANUAL_FILES:
        yield name, (folder / name).read_bytes()


async def read_long(body: bytes) -> LongReading:
    reader = Reader()
    start = time.perf_counter()
    document = await reader.read(body, "application/pdf", name="long.pdf")
    Candidates([to_retrieved(document)], QUESTION).render(SHOWN_PASSAGES)
    seconds = time.perf_counter() - start
    (child,) = reader._children._idle
    cpu_s, peak = child_cpu_s(child.pid), peak_mb(child.pid)
    await reader.close()
    pages = [f"{each.read} of {each.total}" for each in document.omissions if each.kind == "pages"]
    return LongReading(pages[0] if pages else "all", seconds, cpu_s, peak, glued(plain_text(document)))


def child_cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mb(pid: int) -> float:
    _, _, after = Path(f"/proc/{pid}/status").read_text("ascii").partition("VmHWM:")
    return int(after.split()[0]) / 1024


def glued(text: str) -> float:
    return match_words("", text).glued


def read_by_peer(program: DocumentProgram, body: bytes) -> LongReading:
    reading = program.read("long.pdf", "application/pdf", body)
    return LongReading(reading.refused or "all", reading.ms / 1000, 0, 0, glued(reading.text))


def measure(peers: dict[str, DocumentProgram]) -> bool:
    """Prints a row for each document and program. Tells whether the documents kept to the limits."""
    table = Table(title="long PDFs")
    for name in ("document", "program", "pages", "s", "CPU s", "MB of the child", "glued"):
        table.add_column(name, justify="left" if name in ("document", "program", "pages") else "right")
    kept = True
    for name, body in documents():
        ours = asyncio.run(read_long(body))
        kept = kept and ours.seconds <= SECONDS_LIMIT and ours.peak_mb <= MEMORY_LIMIT_MB
        rows = {"csps-llm": ours, **{peer: read_by_peer(program, body) for peer, program in peers.items()}}
        for program, row in rows.items():
            child = (f"{row.cpu_s:.2f}", f"{row.peak_mb:.0f}") if row.peak_mb else ("", "")
            table.add_row(name, program, row.pages, f"{row.seconds:.2f}", *child, f"{row.glued:.2%}")
    Console(width=120).print(table)
    print(f"{os.getloadavg()[0]:.1f} processes wanted {os.cpu_count()} cores")
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", action="append", default=[], help="NAME=PYTHON")
    with ExitStack() as stack:
        pairs = [peer.split("=", 1) for peer in parser.parse_args().peer]
        kept = measure({name: stack.enter_context(start_peer(name, python)) for name, python in pairs})
    raise SystemExit(not kept)


if __name__ == "__main__":
    main()
