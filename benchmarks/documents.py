"""Measures how much of the known text of documents is read, beside other programs.

For each kind of `benchmarks/corpus/`: the share of known words that is found in order, the share of letters in words
that lost their blanks, the words beyond the known ones, and the time. `--peer` names another program (markitdown,
docling, unstructured, poppler) and the Python in which it is installed. `--real` reads documents that packages ship:
their text is not known, so the words of each program are compared to those of the others.

    .venv/bin/python -m benchmarks.documents [KIND …] [--peer markitdown=/opt/markitdown/bin/python] [--files]
    .venv/bin/python -m benchmarks.documents --real [--peer …]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import Protocol

from rich.console import Console
from rich.table import Table

from benchmarks.corpus import Sample, corpus_kinds, samples_of_kind
from benchmarks.real_documents import RealDocument, real_documents
from core.errors import UnreadableDocument
from core.rag.reading.formats import read_document
from tests.support.known_words import WordMatch, match_words, split_words
from tests.support.written_pages import plain_text

PEER_PROGRAM = Path(__file__).parent / "peers" / "document_reader.py"
OURS = "csps-llm"
TARGETS = {"word": 0.98, "tables": 0.98, "pages": 0.98, "pdf": 0.95}  # share of known words in order


@dataclass(frozen=True, slots=True)
class Reading:
    """The outcome of one reader for one document. `refused`: the reason, if it was not read."""

    text: str
    ms: float
    refused: str = ""


class DocumentProgram(Protocol):
    def read(self, name: str, media_type: str, body: bytes) -> Reading: ...


class OwnReader:
    def read(self, name: str, media_type: str, body: bytes) -> Reading:
        start = time.perf_counter()
        try:
            text, refused = plain_text(read_document(body, media_type, name=name)), ""
        except UnreadableDocument as exc:
            text, refused = "", exc.message
        return Reading(text, (time.perf_counter() - start) * 1000, refused)


class PeerReader:
    """Another program, as a child process that reads one file after another."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self._folder = folder

    def read(self, name: str, media_type: str, body: bytes) -> Reading:
        file = self._folder / Path(name).name
        file.write_bytes(body)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{file}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"the peer ended with {self._process.wait()} while it read {name}")
        reply = json.loads(line)
        file.unlink()
        return Reading(reply.get("text", ""), reply["ms"], reply.get("refused", ""))


@contextmanager
def start_peer(name: str, python: str) -> Iterator[PeerReader]:
    command = [python, str(PEER_PROGRAM), name]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process,
    ):
        yield PeerReader(process, Path(folder))
        assert process.stdin
        process.stdin.close()


@dataclass(frozen=True, slots=True)
class Measurement:
    sample: Sample
    reading: Reading
    match: WordMatch


def measure(program: DocumentProgram, samples: Iterable[Sample]) -> list[Measurement]:
    """Reads each sample. The first one is read twice, because its time includes the import of libraries."""
    every = list(samples)
    for sample in every[:1]:
        program.read(sample.name, sample.media_type, sample.body)
    readings = [program.read(each.name, each.media_type, each.body) for each in every]
    return [
        Measurement(sample, reading, match_words(sample.words, reading.text))
        for sample, reading in zip(every, readings, strict=True)
    ]


def build_table(title: str) -> Table:
    table = Table(title=title)
    for name in ("kind", "program"):
        table.add_column(name)
    for name in ("files", "refused", "words in order", "worst file", "glued", "extra words", "ms a file"):
        table.add_column(name, justify="right")
    return table


def summary_row(measured: list[Measurement]) -> list[str]:
    known = sum(each.match.known for each in measured)
    shares = [each.match.share for each in measured]
    chars = sum(each.match.chars for each in measured)
    return [
        str(len(measured)),
        str(sum(bool(each.reading.refused) for each in measured)),
        f"{sum(each.match.in_order for each in measured) / max(known, 1):.3f}",
        f"{min(shares):.3f}",
        f"{sum(each.match.glued_chars for each in measured) / max(chars, 1):.1%}",
        f"{sum(each.match.extra for each in measured) / max(known, 1):.1%}",
        f"{median(each.reading.ms for each in measured):.1f}",
    ]


def print_files(console: Console, program: str, measured: list[Measurement]) -> None:
    for each in measured:
        numbers = f"{each.match.share:.3f} in order, {each.match.extra} extra, {each.reading.ms:.1f} ms"
        console.print(f"{program:12} {each.sample.name:40} {each.reading.refused or numbers}", highlight=False)


def compare_known(kinds: list[str], programs: dict[str, DocumentProgram], *, files: bool) -> bool:
    """Prints a row for each kind and program. Returns whether each kind reaches its target."""
    console, table, reached, count = Console(width=150), build_table("known words"), True, 0
    for kind in kinds:
        samples = list(samples_of_kind(kind))
        count += len(samples)
        for name, program in programs.items():
            measured = measure(program, samples)
            table.add_row(kind, name, *summary_row(measured))
            if files:
                print_files(console, name, measured)
            if name == OURS and kind in TARGETS:
                share = sum(each.match.in_order for each in measured) / sum(each.match.known for each in measured)
                reached = reached and share >= TARGETS[kind]
        table.add_section()
    console.print(table)
    targets = ", ".join(f"{kind} {share}" for kind, share in TARGETS.items())
    console.print(f"{count} files; targets for words in order: {targets}", highlight=False)
    return reached


def compare_real(programs: dict[str, DocumentProgram]) -> None:
    """Prints the words of each program, and the share of each other program's words that ours found in order."""
    table = Table(title="real documents: words, and the share of each program's words that another found in order")
    table.add_column("document")
    for name in programs:
        table.add_column(f"{name}, words", justify="right")
        if name != OURS:
            table.add_column(f"of {name}'s in ours", justify="right")
            table.add_column(f"of ours in {name}'s", justify="right")
    shares: dict[str, list[float]] = {}
    for document in real_documents():
        table.add_row(document.name, *real_cells(document, programs, shares))
    console = Console(width=150)
    console.print(table)
    for name, values in shares.items():
        console.print(f"{name}: mean {mean(values):.3f} of {len(values)} documents", highlight=False)


def real_cells(
    document: RealDocument, programs: dict[str, DocumentProgram], shares: dict[str, list[float]]
) -> list[str]:
    texts = {name: program.read(document.name, "", document.body) for name, program in programs.items()}
    ours, cells = texts[OURS], list[str]()
    for name, reading in texts.items():
        cells.append("refused" if reading.refused else str(len(split_words(reading.text))))
        if name == OURS:
            continue
        both = not (reading.refused or ours.refused)
        forth, back = match_words(reading.text, ours.text).share, match_words(ours.text, reading.text).share
        cells += [f"{forth:.3f}", f"{back:.3f}"] if both else ["", ""]
        if both:
            shares.setdefault(f"of {name}'s in ours", []).append(forth)
            shares.setdefault(f"of ours in {name}'s", []).append(back)
    return cells


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(corpus_kinds())}; default: all")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON", help="another program")
    parser.add_argument("--files", action="store_true", help="also a line for each file")
    parser.add_argument("--real", action="store_true", help="documents that packages ship, instead of known ones")
    options = parser.parse_args()
    with ExitStack() as peers:
        programs: dict[str, DocumentProgram] = {OURS: OwnReader()}
        for each in options.peer:
            name, _, python = each.partition("=")
            programs[name] = peers.enter_context(start_peer(name, python or sys.executable))
        if options.real:
            compare_real(programs)
        elif not compare_known(options.kinds or corpus_kinds(), programs, files=options.files):
            raise SystemExit(1)


if __name__ == "__main__":
    main()
