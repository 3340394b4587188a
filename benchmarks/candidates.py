"""The cost of attached text: it is cut into passages, which are ranked by the question.

Runs through the engine, with a fake model in another process. Prints for each text the time of a conversation's first
and later answers, and the lag of the event loop. A conversation without attachments is the comparison.

    .venv/bin/python -m benchmarks.candidates [--turns 5]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import structlog
from rich.console import Console
from rich.table import Table

from benchmarks.fetching import LoopLagMonitor
from benchmarks.saved_pages import saved_pages
from core.configuration.settings import Settings, load
from core.contract import Attachment, Prompt
from core.engine import ChatEngine
from core.rag.reading.pages.extract import parse_page
from core.rag.reading.raw_document import RawDocument
from tests.core.support_chatting import chat_on, events_of
from tests.support.fake_model import FakeModel
from tests.support.written_pages import plain_text

LETTERS = "abcdefghijklmnopqrstuvwxyzé"
QUESTION = "How many days of parental leave does an employee have, number {number}?"
WANTED_LATE_MS, WANTED_FIRST_MS = 50, 300


@dataclass(frozen=True)
class LoadCase:
    name: str
    texts: tuple[str, ...] = ()  # one for each of as many concurrent conversations


@dataclass(frozen=True)
class LoadResult:
    case: LoadCase
    first_ms: float
    later_ms: float
    late_ms: float
    busy_ms: float


def saved_page_text(chars: int) -> str:
    """Repeats the texts of saved pages, each time with other words among them."""
    pages, draw, parts = (
        [plain_text(parse_page(RawDocument(page.html))) for page in saved_pages()],
        random.Random(chars),
        list[str](),
    )
    while sum(map(len, parts)) < chars:
        parts.append(" ".join([*pages[len(parts) % len(pages)].split(" "), *random_words(draw, 100)]))
    return "\n\n".join(parts)[:chars]


def unique_words(chars: int, seed: int = 0) -> str:
    """Writes text in which no word occurs twice."""
    draw = random.Random(seed)
    return " ".join(random_words(draw, chars // 8))


def random_words(draw: random.Random, count: int) -> list[str]:
    return ["".join(draw.choices(LETTERS, k=7)) for _ in range(count)]


def cases() -> list[LoadCase]:
    return [
        LoadCase("nothing", ("",)),
        LoadCase("200,000 characters", (saved_page_text(200_000),)),
        LoadCase("1,000,000 characters", (saved_page_text(1_000_000),)),
        LoadCase("1,000,000, each paragraph a letter", ("a\n\n" * 333_333,)),
        LoadCase("1,000,000, no word twice", (unique_words(1_000_000),)),
        LoadCase("the same, 4 at once", tuple(unique_words(1_000_000, seed) for seed in range(1, 5))),
    ]


async def answer_times(chat: ChatEngine, text: str, turns: int) -> list[float]:
    """Returns the seconds of each answer."""
    name, took_s = await chat.open("whisper"), list[float]()
    for number in range(turns):
        attachments = (Attachment("report.txt", text),) if text and not number else ()
        began = time.perf_counter()
        await events_of(chat, Prompt("whisper", QUESTION.format(number=number), name, attachments=attachments))
        took_s.append(time.perf_counter() - began)
    return took_s


async def measure_case(chat: ChatEngine, case: LoadCase, turns: int) -> LoadResult:
    watch = LoopLagMonitor()
    async with watch.watching():
        took_s = await asyncio.gather(*(answer_times(chat, text, turns) for text in case.texts))
    first_s = max(each[0] for each in took_s)
    later_s = statistics.median(each for talk in took_s for each in talk[1:])
    return LoadResult(case, 1000 * first_s, 1000 * later_s, 1000 * watch.late_s, 1000 * watch.busy_s)


@contextlib.asynccontextmanager
async def running_model(socket: Path) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.candidates", "--model", str(socket), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        await process.stdout.readline()
        yield
    finally:
        process.kill()
        await process.wait()


async def serve_model(socket: Path) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with FakeModel().serving(socket):
        print("ready", flush=True)
        await ended.wait()


async def measure(settings: Settings, turns: int) -> list[LoadResult]:
    async with running_model(settings.model_socket), contextlib.AsyncExitStack() as stack:
        chat = await stack.enter_async_context(chat_on(settings))
        await answer_times(chat, "warm", turns)
        return [await measure_case(chat, case, turns) for case in cases()]


def show(rows: list[LoadResult]) -> None:
    table = Table("attached", "first answer ms", "later ones ms", "loop late ms", "by its work ms")
    for row in rows:
        figures = (row.first_ms, row.later_ms, row.late_ms, row.busy_ms)
        table.add_row(row.case.name, *(f"{figure:.0f}" for figure in figures))
    Console(width=120).print(table)
    bare, ordinary, latest = rows[0], rows[1], max(rows[1:], key=lambda row: row.late_ms)
    added = (ordinary.first_ms - bare.first_ms, ordinary.later_ms - bare.later_ms)
    print(f"{ordinary.case.name} add {added[0]:.0f} ms to the first answer (wanted {WANTED_FIRST_MS}),", end=" ")
    print(f"{added[1]:.0f} ms to later ones;", end=" ")
    print(
        f"the loop was late by at most {latest.late_ms:.0f} ms (wanted {WANTED_LATE_MS}; with nothing to read", end=" "
    )
    print(f"{bare.late_ms:.0f}), {latest.busy_ms:.0f} ms of it by its own work")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=5, help="of each conversation")
    parser.add_argument("--model", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.model is not None:
        asyncio.run(serve_model(options.model))
        return
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with tempfile.TemporaryDirectory() as folder:
        show(asyncio.run(measure(load({"CSPS_LLM_DATA": folder, "LLM_WAIT_S": "20"}), options.turns)))


if __name__ == "__main__":
    main()
