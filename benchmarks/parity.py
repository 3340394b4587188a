"""Counts the greedy answers that equal those of a llama-server (xllamacpp): 20 prompts, alone and eight at a time.

Prompts are fresh, share a personality's prefix, or continue a conversation that was moved to host memory or to disk.
Both get the same token ids. The first line counts the prompts that both tokenise equally from messages: with the
starter's own template all; Gemma's file has none, and llama-server then writes ChatML.

The llama.cpp builds differ, and a kernel's last digits differ with the number of rows in a batch. Quantised weights
make that noise large. So each model is also measured with its weights as 32-bit floats: there, equal logic gives equal
texts. A first difference is a tie if llama-server's own two best tokens are closer there than the noise: the largest
difference between its margins and those of a plain loop over our llama.cpp, wherever both have the same text.

    .venv/bin/python -m benchmarks.parity [--models starter gemma] [--weights f32 file] [--prompts 20] [--tokens 16]

Gemma's weights are fetched once (benchmarks/gemma.py) and never shipped.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import llama_cpp.llama_cpp as llama
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.gemma import gemma_file
from core.configuration import settings
from core.model.hardware.processor import choose_threads
from core.model.library.starter import find_starter
from core.model.worker.llama.loading import transcode
from core.model.worker.llama.runner import BatchRow, LlamaRunner
from core.model.worker.prompt_tokenizer import PromptTokenizer
from core.openai.chat_protocol import Message
from tests.core.model.worker.support_loaded_model import (
    Answer,
    Chat,
    answers,
    load_tiny,
    loaded_model,
    move_to_host_memory,
)
from tests.core.model.worker.support_parity import LlamaServer, llama_server

PERSONALITY = (
    "You are Whisper, an assistant for public servants. You answer in plain language, briefly, and you say so when you "
    "are not sure. You never ask for protected information. "
) * 4
NOTICE = "The library on Sussex Drive opens at 7:15 on Mondays and at 9:00 on other days, except on holidays. "
SUBJECTS = ("snow", "libraries", "bridges", "tea", "maps", "rivers", "clocks", "bread", "trains", "stars")
LONG = (7, 17)  # prompts that are longer than Gemma's window of 512 tokens
AT_ONCE = (1, 8)


@dataclass(frozen=True)
class ServerAnswer:
    """`margins`: between the log probabilities of the two best tokens, at each token."""

    tokens: list[int]
    margins: list[float]
    second: list[int]


class PlainLoop:
    """One sequence in an empty KV cache of our llama.cpp, and the most likely token each time."""

    def __init__(self, path: Path) -> None:
        self._runner: LlamaRunner = load_tiny(path, window=4096, cache_tokens=4096, threads=choose_threads())
        self._prompts = PromptTokenizer(self._runner)

    def prompt(self, chat: Chat) -> list[int]:
        messages = [Message(message["role"], message["content"]) for message in chat]  # type: ignore[arg-type]
        return [int(token) for token in self._prompts.chat(messages).tokens]

    def answer(self, prompt: list[int], count: int) -> tuple[list[int], list[float]]:
        """Returns tokens, and the margin between the two best logits at each."""
        self._runner.clear()
        tokens: list[int] = []
        margins: list[float] = []
        logits = self._decode(0, prompt)
        while len(tokens) < count:
            first, second = np.partition(logits, -2)[:-3:-1]
            tokens.append(int(logits.argmax()))
            margins.append(float(max(first, second) - min(first, second)))
            logits = self._decode(len(prompt) + len(tokens) - 1, tokens[-1:])
        return tokens, margins

    def _decode(self, start: int, tokens: list[int]) -> np.ndarray:
        index = 0
        for at in range(0, len(tokens), self._runner.batch_tokens):
            part = tokens[at : at + self._runner.batch_tokens]
            index = self._runner.decode([BatchRow(0, start + at, part, True)])[0]
        return self._runner.logits(index)


def questions(count: int, system: str = "") -> list[Chat]:
    before = [{"role": "system", "content": system}] if system else []
    chats = []
    for number in range(count):
        notice = NOTICE * (24 if number in LONG else number % 4)
        ask = f"{number}. {notice}Explain to a colleague why {SUBJECTS[number % 10]} matter to public servants."
        chats.append([*before, {"role": "user", "content": ask}])
    return chats


def next_turns(chats: list[Chat], found: list[Answer]) -> list[Chat]:
    more = {"role": "user", "content": "Say it in other words."}
    return [
        [*chat, {"role": "assistant", "content": a.text.strip() or "-"}, more]
        for chat, a in zip(chats, found, strict=True)
    ]


async def ask_server(server: LlamaServer, prompt: list[int], tokens: int) -> ServerAnswer:
    body = {"prompt": prompt, "n_predict": tokens, "temperature": 0, "cache_prompt": False, "n_probs": 2}
    response = await server.http.post("/completion", json=body, timeout=600)
    steps = response.json()["completion_probabilities"]
    best = [step["top_logprobs"] for step in steps]
    margins = [top[0]["logprob"] - top[1]["logprob"] for top in best]
    return ServerAnswer([step["id"] for step in steps], margins, [top[1]["id"] for top in best])


class Comparison:
    """One model file, compared mode by mode."""

    def __init__(self, path: Path, prompts: int, tokens: int) -> None:
        self._path = path
        self._count = prompts
        self._tokens = tokens
        self._loop = PlainLoop(path)
        self._expected: dict[tuple[int, ...], ServerAnswer] = {}
        self.noise = 0.0
        self.rows: list[tuple[str, int, int, int, str]] = []

    async def run(self) -> None:
        async with llama_server(self._path) as server:
            await self._compare_tokens(server)
            await self._compare_plain(server)
            for at_once in AT_ONCE:
                with tempfile.TemporaryDirectory() as data:
                    await self._compare_modes(server, Path(data), at_once)

    async def _compare_tokens(self, server: LlamaServer) -> None:
        """Counts the chats that llama-server, with the file's own template, tokenises as we do."""
        equal = 0
        chats = [*questions(self._count), *questions(self._count, PERSONALITY)]
        for chat in chats:
            rendered = (await server.http.post("/apply-template", json={"messages": chat})).json()["prompt"]
            body = {"content": rendered, "add_special": True, "parse_special": True}
            equal += (await server.http.post("/tokenize", json=body)).json()["tokens"] == self._loop.prompt(chat)
        print(f"{equal} of {len(chats)} prompts have the same tokens", flush=True)

    async def _compare_plain(self, server: LlamaServer) -> None:
        prompts = [self._loop.prompt(chat) for chat in questions(self._count)]
        expected = [await self._expect(server, prompt) for prompt in prompts]
        plain = [self._loop.answer(prompt, self._tokens) for prompt in prompts]
        differences = []
        for theirs, (tokens, margins) in zip(expected, plain, strict=True):
            for a, b, at, margin in zip(theirs.tokens, tokens, theirs.margins, margins, strict=False):
                if a != b:
                    break
                differences.append(abs(at - margin))
        self.noise = max(differences)
        print(f"noise of margins: {statistics.median(differences):.4f} median, {self.noise:.4f} at most", flush=True)
        self._add("a plain loop over our llama.cpp", 1, expected, [tokens for tokens, _ in plain])
        together = await asyncio.gather(*(ask_server(server, prompt, self._tokens) for prompt in prompts))
        self._add("llama-server itself", 8, expected, [answer.tokens for answer in together])

    async def _compare_modes(self, server: LlamaServer, data: Path, at_once: int) -> None:
        fresh, shared = questions(self._count), questions(self._count, PERSONALITY)
        keys = [f"conversation {number}" for number in range(self._count)]
        options = {"threads": choose_threads(), "context_window": 4096, "suspend_mb": 4096, "suspend_disk_mb": 8192}
        fields = {"max_tokens": self._tokens}
        async with loaded_model(self._path, data, **options) as model:
            first = await answers(model, fresh, at_once, keys, **fields)
            await self._check(server, "fresh", at_once, fresh, first)
            await self._check(server, "shared", at_once, shared, await answers(model, shared, at_once, **fields))
            turns = next_turns(fresh, first)
            await move_to_host_memory(model)
            await self._check(server, "restored", at_once, turns, await answers(model, turns, at_once, **fields))
        async with loaded_model(self._path, data, **options) as model:
            found = await answers(model, turns, at_once, keys, **fields)
            await self._check(server, "restored from disk", at_once, turns, found)

    async def _check(
        self, server: LlamaServer, mode: str, at_once: int, chats: list[Chat], found: list[Answer]
    ) -> None:
        expected = [await self._expect(server, self._loop.prompt(chat)) for chat in chats]
        cached = statistics.median(answer.cached for answer in found)
        self._add(f"{mode} ({cached:.0f} tokens cached)", at_once, expected, [answer.tokens for answer in found])

    async def _expect(self, server: LlamaServer, prompt: list[int]) -> ServerAnswer:
        """Returns llama-server's answer to the prompt alone, without its cache."""
        known = self._expected.get(tuple(prompt))
        if known is None:
            known = self._expected[tuple(prompt)] = await ask_server(server, prompt, self._tokens)
        return known

    def _add(self, mode: str, at_once: int, expected: list[ServerAnswer], found: list[list[int]]) -> None:
        verdicts = [self._judge(theirs, ours) for theirs, ours in zip(expected, found, strict=True)]
        equal, ties = verdicts.count("equal"), verdicts.count("tie")
        others = ", ".join(verdict for verdict in verdicts if verdict not in ("equal", "tie"))
        self.rows.append((mode, at_once, equal, ties, others))
        print(self.rows[-1], flush=True)

    def _judge(self, theirs: ServerAnswer, ours: list[int]) -> str:
        pairs = zip(theirs.tokens, ours, strict=False)
        at = next((index for index, (a, b) in enumerate(pairs) if a != b), None)
        if at is None:  # an end token is in one list only
            return "equal" if abs(len(theirs.tokens) - len(ours)) <= 1 else "length"
        close = theirs.margins[at] <= self.noise and ours[at] == theirs.second[at]
        return "tie" if close else f"margin {theirs.margins[at]:.3f} at {at}"


def as_floats(source: Path, folder: Path) -> Path:
    """Writes the model with weights of 32 bits: a quantised weight has the same value there."""
    target = folder / f"{source.stem}-F32.gguf"
    transcode(source, target, choose_threads(), llama.LLAMA_FTYPE_ALL_F32)
    return target


def model_file(name: str) -> Path:
    if name == "gemma":
        return gemma_file()
    if name != "starter":
        return Path(name)
    folder = settings.load().data_folder / "models"
    return find_starter(folder, lambda source, target: transcode(source, target, choose_threads())).path


def show(name: str, comparison: Comparison) -> None:
    table = Table(name, "at a time", "equal", "ties", "different")
    for mode, at_once, equal, ties, others in comparison.rows:
        table.add_row(mode, str(at_once), str(equal), str(ties), others or "none")
    Console(width=140).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["starter", "gemma"], help="starter, gemma, or files")
    parser.add_argument("--weights", nargs="+", default=["f32", "file"], choices=["f32", "file"])
    parser.add_argument("--prompts", type=int, default=20)
    parser.add_argument("--tokens", type=int, default=16)
    options = parser.parse_args()
    judged = []
    for name in options.models:
        for weights in options.weights:
            with tempfile.TemporaryDirectory() as folder:
                file = model_file(name)
                path = as_floats(file, Path(folder)) if weights == "f32" else file
                comparison = Comparison(path, options.prompts, options.tokens)
                asyncio.run(comparison.run())
            show(f"{name}, {weights}", comparison)
            if weights == "f32":
                judged.append(all(equal == options.prompts for _, _, equal, _, _ in comparison.rows))
    if judged:
        print("target reached: all texts are equal with 32-bit weights" if all(judged) else "target missed")
    sys.exit(not all(judged))


if __name__ == "__main__":
    main()
