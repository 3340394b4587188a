"""Counts the answers of a model with several engines while engines are killed, refuse, are busy, and come back.

The engines are servers on loopback that write a scripted answer slowly; the client is the service's. At the end, every
question must have one whole answer, without a repeated or a missing word. The target is 0 failures.

    .venv/bin/python -m benchmarks.failover [--engines 3] [--answers 600] [--clients 50] [--troubles 12] [--seconds 60]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from rich.console import Console
from rich.table import Table

from core.configuration.settings import load
from core.contract import Sampling, Status, Text
from core.conversation.draft import AnswerRequest, PromptDraft
from core.conversation.generation import Generation
from core.errors import CspsError
from core.model.client import ModelClient
from core.model.library.catalogue import RemoteModel
from core.model.library.engine_entry import EngineEntry
from tests.support.fake_model import Body, Fail, FakeModel, Step, choice, sse

MODEL = "large"
WORDS = tuple(f"word{number} " for number in range(40))
WORD_S = 0.02
WAIT_S = 60.0


@dataclass
class Outcome:
    """`first_text_s`: of each answer. `moved`: answers that another engine continued."""

    answers: Counter[str] = field(default_factory=Counter)
    first_text_s: list[float] = field(default_factory=list)
    moved: int = 0


class SlowEngine(FakeModel):
    """Writes one word every WORD_S, and continues a begun answer with the words that are missing."""

    def __init__(self) -> None:
        super().__init__(answer=self.words)
        self.refusal: Fail | None = None

    def words(self, body: Body) -> Sequence[Step]:
        if self.refusal:
            return (self.refusal,)
        last = body["messages"][-1]
        written = len(last["content"].split()) if last["role"] == "assistant" else 0
        return WORDS[written:]

    async def play(self, request: web.Request, response: web.StreamResponse, body: Body, steps: Sequence[Step]) -> None:
        for word in steps:
            await response.write(sse({"choices": [choice(str(word))]}))
            await asyncio.sleep(WORD_S)
        await super().play(request, response, body, ())


async def ask(client: ModelClient, number: int, outcome: Outcome) -> None:
    draft = PromptDraft("You are a counter.", (), f"Question {number}")
    request = AnswerRequest(draft, Sampling(), model=MODEL, cache_key=f"talk {number % 40}")
    text, started = "", time.monotonic()
    try:
        async with aclosing(Generation(client, request, WAIT_S).events()) as events:
            async for event in events:
                if isinstance(event, Text):
                    if not text:
                        outcome.first_text_s.append(time.monotonic() - started)
                    text += event.text
                elif isinstance(event, Status) and event.state == "reconnecting" and text:
                    outcome.moved += 1
    except CspsError as exc:
        outcome.answers[f"failed: {exc.code}"] += 1
        return
    outcome.answers["whole" if text.split() == "".join(WORDS).split() else "wrong"] += 1


async def trouble(engines: Sequence[SlowEngine], ports: Sequence[int], troubles: int, seconds: float) -> Counter[str]:
    """Kills one engine after another, or lets it refuse; it is back before the next one."""
    random_kind = random.Random(1)
    kinds = Counter[str]()
    for number in range(troubles):
        at = number % len(engines)
        engine, kind = engines[at], random_kind.choice(["killed", "refuses with 502", "busy (429)"])
        kinds[kind] += 1
        pause_s = seconds / troubles
        if kind == "killed":
            await engine.stop()
            await asyncio.sleep(pause_s / 2)
            await engine.start(port=ports[at])
        else:
            engine.refusal = Fail(502) if "502" in kind else Fail(429, retry_after_s=1)
            await asyncio.sleep(pause_s / 2)
            engine.refusal = None
        await asyncio.sleep(pause_s / 2)
    return kinds


async def measure(options: argparse.Namespace) -> tuple[Outcome, Counter[str], list[int]]:
    engines = [SlowEngine() for _ in range(options.engines)]
    outcome = Outcome()
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        for engine in engines:
            await stack.enter_async_context(engine.serving())
        ports = [int(engine.url.rpartition(":")[2]) for engine in engines]
        entry = RemoteModel(title="Large", engines=tuple(EngineEntry(url=engine.url) for engine in engines))
        client = ModelClient.from_settings(load({"CSPS_LLM_DATA": str(Path(folder))}), {MODEL: entry})
        stack.push_async_callback(client.close)
        numbers = iter(range(options.answers))

        async def work() -> None:
            for number in numbers:
                await ask(client, number, outcome)

        async with asyncio.TaskGroup() as tasks:
            making = tasks.create_task(trouble(engines, ports, options.troubles, options.seconds))
            for _ in range(options.clients):
                tasks.create_task(work())
        return outcome, making.result(), [len(engine.requests) for engine in engines]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", type=int, default=3)
    parser.add_argument("--answers", type=int, default=600)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--troubles", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=60.0)
    outcome, kinds, requests = asyncio.run(measure(parser.parse_args()))
    table = Table("", "")
    for name, count in [*outcome.answers.most_common(), *kinds.most_common()]:
        table.add_row(name, str(count))
    table.add_row("answers continued by another engine", str(outcome.moved))
    table.add_row("requests to each engine", ", ".join(map(str, requests)))
    table.add_row(
        "first text, median and longest, s",
        f"{statistics.median(outcome.first_text_s):.2f}, {max(outcome.first_text_s):.2f}",
    )
    Console(width=110).print(table)
    reached = set(outcome.answers) == {"whole"}
    print("target reached: 0 failures" if reached else "target missed: 0 failures")
    sys.exit(not reached)


if __name__ == "__main__":
    main()
