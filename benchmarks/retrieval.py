"""Answering from a text: how often what a model answers is in the text, and how often it repeats its own instructions.

Questions of benchmarks/retrieval.toml, each asked several times with its text as an attached file, of the shipped
personality of its language, with its own sampling. It judges a model and the form in which it is shown what to read.

    .venv/bin/python -m benchmarks.retrieval [--rounds 3]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import tomllib
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.serving import KEY, free_port, peer
from core import bootstrap
from core.configuration import settings
from core.configuration.personalities import Personalities
from core.contract import Attachment, Engine, Prompt, Sampling, Text

TEXTS = Path(__file__).with_suffix(".toml")
TOKENS = 60
RUN_CHARS = 40  # of the instructions: whoever repeats as much of them does not answer


@dataclass(slots=True)
class Score:
    asked: int = 0
    right: int = 0
    leaked: int = 0

    def add(self, answer: str, has: str, instructions: str) -> None:
        self.asked += 1
        self.right += has.lower() in answer.lower()
        self.leaked += repeats(answer, instructions)


def repeats(answer: str, instructions: str) -> bool:
    said, told = " ".join(answer.split()), " ".join(instructions.split())
    return any(told[at : at + RUN_CHARS] in said for at in range(len(told) - RUN_CHARS))


async def answer_of(engine: Engine, prompt: Prompt) -> str:
    async with aclosing(engine.reply(prompt)) as events:
        return "".join([event.text async for event in events if isinstance(event, Text)])


async def measure(rounds: int) -> dict[str, Score]:
    port = free_port()
    scores: dict[str, Score] = {}
    with tempfile.TemporaryDirectory() as folder:
        variables = {"CSPS_LLM_DATA": folder, "LLM_LISTEN": f"127.0.0.1:{port}", "LLM_API_KEY": KEY}
        async with peer("csps-llm", [sys.executable, "-m", "core.model"], port, variables):
            chosen = settings.load({**os.environ, **variables})
            personalities = Personalities(chosen.config / "personalities")
            personalities.load()
            async with bootstrap.engine(chosen) as engine:
                for seed in range(rounds):
                    print(f"round {seed + 1} of {rounds}", file=sys.stderr)
                    await one_round(engine, personalities, seed, scores)
    return scores


async def one_round(engine: Engine, personalities: Personalities, seed: int, scores: dict[str, Score]) -> None:
    for text in tomllib.loads(TEXTS.read_text(encoding="utf-8"))["text"]:
        personality = personalities.get("whisper" if text["language"] == "en" else "chuchotte")
        attached = (Attachment(text["name"], text["text"].strip()),)
        for question, has in text["asked"]:
            sampling = Sampling(max_tokens=TOKENS, seed=seed)
            answer = await answer_of(
                engine, Prompt(personality.name, question, attachments=attached, sampling=sampling)
            )
            scores.setdefault(text["language"], Score()).add(answer, has, personality.instructions)


def show(scores: dict[str, Score]) -> None:
    table = Table("language", "right", "repeats its instructions")
    for language, score in sorted(scores.items()):
        table.add_row(language, f"{score.right} of {score.asked}", str(score.leaked))
    Console(width=90).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    show(asyncio.run(measure(parser.parse_args().rounds)))


if __name__ == "__main__":
    main()
