"""Measures answers from an attached text: how often they are right, and how often they repeat the instructions.

Asks the shipped personality of each language the questions of benchmarks/retrieval.toml several times, with its own
sampling. Use it to judge a model, or the form in which documents are rendered.

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

from benchmarks.serving import KEY, free_port, running_server
from core import bootstrap
from core.configuration import settings
from core.configuration.personalities import Personalities
from core.contract import Attachment, Engine, Prompt, Sampling, Text

TEXTS = Path(__file__).with_suffix(".toml")
TOKENS = 60
RUN_CHARS = 40  # an answer that repeats this many characters of the instructions counts as no answer


@dataclass(slots=True)
class AnswerScore:
    answers: int = 0
    right: int = 0
    leaked: int = 0

    def add(self, answer: str, has: str, instructions: str) -> None:
        self.answers += 1
        self.right += has.lower() in answer.lower()
        self.leaked += repeats_instructions(answer, instructions)


def repeats_instructions(answer: str, instructions: str) -> bool:
    answered, instructed = " ".join(answer.split()), " ".join(instructions.split())
    return any(instructed[at : at + RUN_CHARS] in answered for at in range(len(instructed) - RUN_CHARS))


async def full_answer(engine: Engine, prompt: Prompt) -> str:
    async with aclosing(engine.reply(prompt)) as events:
        return "".join([event.text async for event in events if isinstance(event, Text)])


async def measure(rounds: int) -> dict[str, AnswerScore]:
    port = free_port()
    scores: dict[str, AnswerScore] = {}
    with tempfile.TemporaryDirectory() as folder:
        variables = {"CSPS_LLM_DATA": folder, "LLM_LISTEN": f"127.0.0.1:{port}", "LLM_API_KEY": KEY}
        async with running_server("csps-llm", [sys.executable, "-m", "core.model"], port, variables):
            loaded = settings.load({**os.environ, **variables})
            personalities = Personalities(loaded.config / "personalities")
            personalities.load()
            async with bootstrap.run_engine(loaded) as engine:
                for seed in range(rounds):
                    print(f"round {seed + 1} of {rounds}", file=sys.stderr)
                    await one_round(engine, personalities, seed, scores)
    return scores


async def one_round(engine: Engine, personalities: Personalities, seed: int, scores: dict[str, AnswerScore]) -> None:
    for text in tomllib.loads(TEXTS.read_text(encoding="utf-8"))["text"]:
        personality = personalities.get("whisper" if text["language"] == "en" else "chuchotte")
        attached = (Attachment(text["name"], text["text"].strip()),)
        for question, has in text["questions"]:
            sampling = Sampling(max_tokens=TOKENS, seed=seed)
            answer = await full_answer(
                engine, Prompt(personality.name, question, attachments=attached, sampling=sampling)
            )
            scores.setdefault(text["language"], AnswerScore()).add(answer, has, personality.instructions)


def show(scores: dict[str, AnswerScore]) -> None:
    table = Table("language", "right", "repeats its instructions")
    for language, score in sorted(scores.items()):
        table.add_row(language, f"{score.right} of {score.answers}", str(score.leaked))
    Console(width=90).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    show(asyncio.run(measure(parser.parse_args().rounds)))


if __name__ == "__main__":
    main()
