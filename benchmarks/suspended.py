"""Measures conversations that were suspended to disk: their first token after `kill -9`, their text, their files.

    .venv/bin/python -m benchmarks.suspended [--models starter gemma] [--rounds 3] [--tokens 1500]

In each round, a model process with an empty data folder answers the first question of two conversations, whose prompts
it computes in full. Some seconds later it is killed. The next process answers the second questions. In the first round
another process answers both questions without a break: its texts are the reference. Targets: the first token of a
resumed conversation comes within 0.3 of the time of a full prompt (medians of one run); the text is the same at
temperature 0; the files contain no word of the conversations, and no run of their tokens.

`gemma` is Gemma 3 270M, with sliding-window attention, which `benchmarks.gemma` fetches for local checks.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.gemma import gemma_file
from benchmarks.measured_model import find_model
from core.configuration import settings
from core.model.worker.suspended.write_behind import IDLE_S
from tests.core.model.worker.support_model_client import connect
from tests.support.starter import ModelProcess

CONVERSATIONS = ("ann", "bob")
ANSWER_TOKENS = 64
TARGET_RATIO = 0.3
WRITE_S = 3.0  # for the disk, after a conversation is due
SYLLABLES = ("ba", "ki", "lor", "men", "tu", "sha", "ver", "dol", "pri", "wex", "zan", "quo")
Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    first_token_s: float
    prompt_tokens: int
    cached_tokens: int


@dataclass(slots=True)
class Measurements:
    """One model's. `texts`: of the second answers, by conversation; the reference comes first."""

    cold_s: list[float] = field(default_factory=list)
    resumed_s: list[float] = field(default_factory=list)
    live_s: list[float] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)
    computed_tokens: list[int] = field(default_factory=list)  # of the resumed prompts
    file_bytes: int = 0
    found: list[str] = field(default_factory=list)  # words and tokens in the files

    @property
    def ratio(self) -> float:
        return statistics.median(self.resumed_s) / statistics.median(self.cold_s)

    @property
    def same(self) -> bool:
        return all(len(set(texts)) == 1 for texts in self.texts.values())

    @property
    def passed(self) -> bool:
        return self.ratio <= TARGET_RATIO and self.same and not self.found


class Talk:
    """One conversation with a text of its own, made of words that occur nowhere else."""

    def __init__(self, name: str, words: int) -> None:
        random = np.random.default_rng(CONVERSATIONS.index(name))
        self.key = f"benchmark-{name}"
        self.words = ["".join(random.choice(SYLLABLES, 4)) for _ in range(words)]
        self.messages: list[Body] = [
            {"role": "system", "content": "You answer briefly."},
            {"role": "user", "content": f"Notes: {' '.join(self.words)}. Which notes are these?"},
        ]

    async def ask(self, http: httpx.AsyncClient, question: str | None = None) -> Answer:
        """Asks the first question, or a later one."""
        if question:
            self.messages.append({"role": "user", "content": question})
        body = {
            "messages": self.messages,
            "temperature": 0,
            "max_tokens": ANSWER_TOKENS,
            "prompt_cache_key": self.key,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        answer = await stream(http, body)
        self.messages.append({"role": "assistant", "content": answer.text})
        return answer


async def stream(http: httpx.AsyncClient, body: Body) -> Answer:
    started, first_s, text, usage = time.perf_counter(), None, "", {}
    async with http.stream("POST", "/v1/chat/completions", json=body) as response:
        response.raise_for_status()
        async for line in response.aiter_lines():
            if not line.startswith("data: {"):
                continue
            event = json.loads(line.removeprefix("data: "))
            usage = event.get("usage") or usage
            for choice in event["choices"]:
                if piece := choice["delta"].get("content"):
                    first_s = first_s or time.perf_counter() - started
                    text += piece
    cached = usage["prompt_tokens_details"]["cached_tokens"]
    return Answer(text, first_s or time.perf_counter() - started, usage["prompt_tokens"], cached)


async def fit_words(process: ModelProcess, tokens: int) -> int:
    """Returns the number of words that make a prompt of about `tokens` tokens."""
    sample = Talk(CONVERSATIONS[0], 200)
    async with connect(process) as http:
        response = await http.post("/tokenize", json={"prompt": " ".join(sample.words)})
        return int(tokens * 200 / response.raise_for_status().json()["count"])


async def measure(model: str, rounds: int, tokens: int) -> Measurements:
    found = Measurements(texts={name: [] for name in CONVERSATIONS})
    for number in range(rounds):
        if number == 0:
            with tempfile.TemporaryDirectory() as folder, process_of(model, folder).serving() as process:
                await run_unbroken(process, tokens, found)
        with tempfile.TemporaryDirectory() as folder:
            await run_killed(process_of(model, folder), tokens, found)
    return found


def process_of(model: str, folder: str) -> ModelProcess:
    path = gemma_file() if model == "gemma" else find_model(settings.load()).path
    # A model file of its own name: the starter's label and window are of no interest here.
    variables = {"LLM_MODEL_FILE": str(path), "LLM_CONTEXT_WINDOW": "4096", "LLM_AUTO": "off"}
    return ModelProcess(Path(folder), **variables)


async def run_unbroken(process: ModelProcess, tokens: int, found: Measurements) -> None:
    """Both questions in one process: the reference."""
    talks = {name: Talk(name, await fit_words(process, tokens)) for name in CONVERSATIONS}
    async with connect(process) as http:
        for talk in talks.values():
            found.cold_s.append((await talk.ask(http)).first_token_s)
        for name, talk in talks.items():
            answer = await talk.ask(http, "And what follows from them?")
            found.live_s.append(answer.first_token_s)
            found.texts[name].append(answer.text)


async def run_killed(process: ModelProcess, tokens: int, found: Measurements) -> None:
    """The first question, `kill -9`, and the second question to the next process."""
    process.start()
    try:
        process.wait_ready()
        talks = {name: Talk(name, await fit_words(process, tokens)) for name in CONVERSATIONS}
        async with connect(process) as http:
            for talk in talks.values():
                found.cold_s.append((await talk.ask(http)).first_token_s)
        await asyncio.sleep(IDLE_S + WRITE_S)
        process.stop(signal.SIGKILL)
        files = [path for path in (process.settings.data_folder / "suspended").rglob("*") if path.is_file()]
        found.file_bytes = sum(path.stat().st_size for path in files) // len(talks)
        process.start()
        process.wait_ready()
        async with connect(process) as http:
            await warm_up(http)
            found.found += await search(http, talks, files)
            for name, talk in talks.items():
                answer = await talk.ask(http, "And what follows from them?")
                found.resumed_s.append(answer.first_token_s)
                found.texts[name].append(answer.text)
                found.computed_tokens.append(answer.prompt_tokens - answer.cached_tokens)
    finally:
        process.stop()


async def warm_up(http: httpx.AsyncClient) -> None:
    """Has the weights read from disk, as they were in the first process."""
    await stream(http, {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 4, "stream": True,
                        "stream_options": {"include_usage": True}})  # fmt: skip


async def search(http: httpx.AsyncClient, talks: dict[str, Talk], files: list[Path]) -> list[str]:
    """Returns the words of the conversations that the files contain, and runs of four tokens."""
    data = b"".join(path.read_bytes() + path.name.encode() for path in files)
    texts = [message["content"] for talk in talks.values() for message in talk.messages]
    words = {word for text in texts for word in text.split() if len(word) >= 6} | {talk.key for talk in talks.values()}
    found = [word for word in words if word.encode() in data]
    for talk in talks.values():
        response = await http.post("/tokenize", json={"messages": talk.messages[:2]})
        tokens = np.asarray(response.raise_for_status().json()["tokens"], "<i4")
        found += [
            str(tokens[at : at + 4]) for at in range(0, len(tokens) - 4, 50) if tokens[at : at + 4].tobytes() in data
        ]
    return found


def show(model: str, found: Measurements, tokens: int) -> None:
    table = Table(title=f"Two conversations of {tokens} tokens, killed and resumed")
    for name in ("model", "full prompt, s", "resumed, s", "ratio", "live, s", "tokens computed", "same text", "leaks",
                 "MB a conversation", "target"):  # fmt: skip
        table.add_column(name)
    table.add_row(
        model,
        f"{statistics.median(found.cold_s):.2f}",
        f"{statistics.median(found.resumed_s):.3f}",
        f"{found.ratio:.3f}",
        f"{statistics.median(found.live_s):.3f}",
        f"{statistics.median(found.computed_tokens):.0f}",
        "yes" if found.same else "no",
        str(len(found.found)),
        f"{found.file_bytes / 1e6:.1f}",
        "reached" if found.passed else "missed",
    )
    Console(width=160).print(table)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", choices=["starter", "gemma"], default=["starter", "gemma"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=1500)
    options = parser.parse_args()
    passed = True
    for model in options.models:
        found = asyncio.run(measure(model, options.rounds, options.tokens))
        show(model, found, options.tokens)
        passed = passed and found.passed
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
