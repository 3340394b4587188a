"""Compares a batch of toil to free text at the same concurrency: tokens/s, cached prompt tokens and memory.

The batch has short rows, one instruction and one schema, and runs through the engine of `csps-llm toil run`. The same
prompts go to the same model process as free text, each as long as the batch's average answer. Both sides take turns,
one slice of the rows at a time, so that a noisy machine disturbs both alike.

    .venv/bin/python -m benchmarks.batch [--rows 200] [--slice 50] [--concurrency 16]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from benchmarks.measured_model import find_model
from benchmarks.serving.servers import KEY, Server, free_port, running_server
from core import bootstrap
from core.configuration import settings
from core.configuration.personalities import Personalities
from core.configuration.settings import Settings
from core.contract import Engine, Json, Sampling
from core.toil.batch.answers import Outcome, ToilAnswers
from core.toil.batch.job import Job, parse_template
from core.toil.batch.journal import Journal, open_journal, toil_code, toil_number
from core.toil.batch.pipeline import BoundedPipeline
from core.toil.batch.rows import Row

INSTRUCTION = parse_template(
    "Sort this message to a help desk of the public service. The category is what it is mostly about. It is urgent if "
    "somebody cannot work, or if people outside are waiting. The summary is one short sentence in plain language, "
    "without names and without numbers. Do not answer the message, and do not invent what it does not say.\n\n"
    "Message: {text}"
)
SCHEMA: dict[str, Json] = {
    "type": "object",
    "properties": {
        "category": {"enum": ["account", "hardware", "software", "network", "building", "other"]},
        "urgent": {"type": "boolean"},
        "summary": {"type": "string", "minLength": 40, "maxLength": 120},
    },
    "required": ["category", "urgent", "summary"],
    "additionalProperties": False,
}
MESSAGES = (
    "I cannot log in since this morning, and the counter opens at nine.",
    "The printer on the third floor prints everything twice.",
    "Could somebody explain how to share a calendar with another team?",
    "The heating in room 214 has not worked since Monday.",
    "My second screen stays black after the update of last night.",
    "The form for travel claims says that my session has expired, again and again.",
    "Is there a way to have larger letters in the time sheet?",
    "The wireless network is very slow in the new building.",
)
SAMPLING = Sampling(temperature=0.6, max_tokens=160)


@dataclass(frozen=True)
class Slice:
    """One turn of one side."""

    tokens: int
    took_s: float
    prompt_tokens: int = 0
    cached_tokens: int = 0
    failed: int = 0

    @property
    def tokens_per_s(self) -> float:
        return self.tokens / self.took_s


def build_rows(numbers: range) -> list[Row]:
    """Builds rows that all differ, so that only the shared prefix can be cached."""
    return [Row(n, {"text": f"(ticket {n}) {MESSAGES[n % len(MESSAGES)]}"}) for n in numbers]


async def batch_slice(engine: Engine, journal: Journal, rows: list[Row], concurrency: int) -> Slice:
    outcomes: list[Outcome] = []

    async def deliver(some: Sequence[Outcome]) -> None:
        await asyncio.to_thread(journal.record, some)
        outcomes.extend(some)

    async def source() -> AsyncIterator[Row]:
        for row in rows:
            yield row

    answers = ToilAnswers(engine, Job("whisper", SCHEMA, INSTRUCTION, SAMPLING, "benchmark"))
    began = time.perf_counter()
    await BoundedPipeline(answers.answer, deliver, concurrency, in_order=True).run(source())
    took_s = time.perf_counter() - began
    used = [outcome.usage for outcome in outcomes]
    return Slice(
        sum(usage.completion_tokens for usage in used),
        took_s,
        sum(usage.prompt_tokens for usage in used),
        sum(usage.cached_tokens for usage in used),
        sum(outcome.code is not None for outcome in outcomes),
    )


async def free_slice(at: Server, system: str, rows: list[Row], concurrency: int, tokens: int) -> Slice:
    """Generates as many free texts from the same prompts, which contain the schema as text."""
    places = asyncio.Semaphore(concurrency)

    async def ask(client: httpx.AsyncClient, row: Row) -> int:
        body = {
            "messages": [
                {"role": "system", "content": system},
                {"role": "user", "content": f"{SCHEMA}\n\n{INSTRUCTION.fill(row.fields)}\n\nAnswer at length."},
            ],
            "max_tokens": tokens,
            "temperature": SAMPLING.temperature,
        }
        async with places:
            response = await client.post(f"{at.url}/v1/chat/completions", json=body)
        response.raise_for_status()
        return int(response.json()["usage"]["completion_tokens"])

    headers = {"Authorization": f"Bearer {KEY}"}
    limits = httpx.Limits(max_connections=concurrency)
    async with httpx.AsyncClient(timeout=600, limits=limits, headers=headers, trust_env=False) as client:
        began = time.perf_counter()
        written = await asyncio.gather(*(ask(client, row) for row in rows))
        return Slice(sum(written), time.perf_counter() - began)


def resident_mb(pid: int | str) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def compare(options: argparse.Namespace, model: Path) -> None:
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="csps-llm-benchmark-") as folder:
        variables = {"LLM_LISTEN": f"127.0.0.1:{port}", "LLM_API_KEY": KEY, "CSPS_LLM_DATA": folder}
        ours = {**variables, "LLM_MODEL_FILE": str(model), "LLM_SLOTS": str(options.concurrency)}
        async with running_server("csps-llm", [sys.executable, "-m", "core.model"], port, ours) as at:
            chosen = settings.load({**os.environ, **variables})
            async with bootstrap.run_engine(chosen) as engine:
                await take_turns(options, chosen, at, engine, Path(folder) / "out.jsonl")


async def take_turns(options: argparse.Namespace, chosen: Settings, at: Server, engine: Engine, output: Path) -> None:
    personalities = Personalities(chosen.config / "personalities")
    personalities.load()
    system = personalities.get("whisper").instructions
    journal = open_journal(output, {"benchmark": 1}, toil_number, toil_code)
    first = await batch_slice(engine, journal, build_rows(range(1, options.slice + 1)), options.concurrency)
    tokens = max(1, round(first.tokens / options.slice))
    await free_slice(at, system, build_rows(range(1, options.slice + 1)), options.concurrency, tokens)
    before_mb = resident_mb("self")
    batches: list[Slice] = []
    frees: list[Slice] = []
    for start in range(options.slice + 1, options.slice + 1 + options.rows, options.slice):
        numbers = range(start, min(start + options.slice, options.slice + 1 + options.rows))
        for side in ("batch", "free") if len(batches) % 2 else ("free", "batch"):
            if side == "batch":
                batches.append(await batch_slice(engine, journal, build_rows(numbers), options.concurrency))
            else:
                # Other row numbers: the model may have cached the other side's prompts.
                own = range(10**6 + numbers.start, 10**6 + numbers.stop)
                frees.append(await free_slice(at, system, build_rows(own), options.concurrency, tokens))
    journal.close()
    show(batches, frees, before_mb, resident_mb("self"))


def show(batches: list[Slice], frees: list[Slice], before_mb: float, after_mb: float) -> None:
    table = Table("", "batch", "free text")
    for name, of in (("tokens", "tokens"), ("seconds", "took_s")):
        table.add_row(name, *(f"{sum(getattr(each, of) for each in side):.0f}" for side in (batches, frees)))
    batch, free = (statistics.median(each.tokens_per_s for each in side) for side in (batches, frees))
    table.add_row("tokens/s, median of the slices", f"{batch:.0f} ({batch / free:.2f}×)", f"{free:.0f}")
    cached, prompt = sum(s.cached_tokens for s in batches), sum(s.prompt_tokens for s in batches)
    table.add_row("prompt tokens from the cache", f"{cached} of {prompt} ({cached / prompt:.0%})", "")
    table.add_row("rows failed", str(sum(s.failed for s in batches)), "")
    table.add_row("memory of this process, MB", f"{before_mb:.0f} → {after_mb:.0f}", "")
    Console(width=110).print(table)
    print("in brackets: the batch divided by free text; the goal is 0.9 or more")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--slice", type=int, default=50)
    parser.add_argument("--concurrency", type=int, default=16)
    options = parser.parse_args()
    asyncio.run(compare(options, find_model(settings.load()).path))


if __name__ == "__main__":
    main()
