"""Drafts in llama.cpp: the answers of a model with sliding-window attention are the same with and without them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence as SequenceOf
from pathlib import Path
from typing import Any

import pytest

from core.model.worker.loaded_model import LoadedModel
from core.model.worker.options import WorkerOptions
from core.model.worker.sequence import Sequence
from core.model.worker.speculation import Speculation
from tests.core.model.worker.support_loaded_model import answer, load_tiny, loaded_model
from tests.support.tiny_model import WINDOW

CHAT = [{"role": "user", "content": "the book and the user " * 8}]
SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string", "maxLength": 20}, "kind": {"enum": ["book", "user"]}},
    "required": ["title", "kind"],
}


class Guesses(Speculation):
    """Drafts the tokens of a known answer, and wrong ones after some of them."""

    def __init__(self, tokens: list[int]) -> None:
        super().__init__()
        self.tokens = tokens
        self.drafts: list[tuple[int, int]] = []  # length and accepted tokens of each

    def draft(self, sequences: SequenceOf[Sequence], room: int) -> None:
        for sequence in sequences:
            start, right = len(sequence.generated), len(self.drafts) % 9
            sequence.draft = [*self.tokens[start : start + right], 270, 271, 272, 273][: max(0, room)]

    def count(self, sequence: Sequence, accepted: int) -> None:
        self.drafts.append((len(sequence.draft), accepted))


def speculate(model: LoadedModel, speculation: Speculation | None) -> None:
    model._inference._speculation = speculation


@pytest.mark.parametrize(
    "fields",
    [
        {"max_tokens": 2 * WINDOW},  # at 54 tokens, two are equally likely up to 0.002
        {"max_tokens": 3 * WINDOW, "temperature": 0.9, "seed": 5},
        {"max_tokens": 2 * WINDOW, "temperature": 0.9, "seed": 6, "repeat_penalty": 1.2},
        {
            "max_tokens": 2 * WINDOW,
            "temperature": 0.5,
            "seed": 7,
            "response_format": {"type": "json_schema", "json_schema": {"name": "item", "schema": SCHEMA}},
        },
    ],
    ids=["greedy", "sampled", "penalised", "schema"],
)
async def test_an_answer_is_the_same_with_drafts(tiny_file: Path, tmp_path: Path, fields: dict[str, Any]) -> None:
    """Accepted tokens stay in the KV cache, refused ones leave it, and each token takes one random number."""
    async with loaded_model(tiny_file, tmp_path) as model:
        speculate(model, None)
        expected = await answer(model, CHAT, **fields)
        guesses = Guesses(expected.tokens)
        speculate(model, guesses)
        drafted = await answer(model, CHAT, **fields)

        assert (drafted.tokens, drafted.text, drafted.reason) == (expected.tokens, expected.text, expected.reason)
        assert any(accepted for _, accepted in guesses.drafts)
        assert any(accepted < length for length, accepted in guesses.drafts)


async def test_the_next_turn_continues_after_drafts(tiny_file: Path, tmp_path: Path) -> None:
    """The conversation's cells are those of an answer without drafts."""
    async with loaded_model(tiny_file, tmp_path) as model:
        speculate(model, None)
        first = await answer(model, CHAT, max_tokens=30)
        turn = [*CHAT, {"role": "assistant", "content": first.text}, {"role": "user", "content": "the user"}]
        expected = await answer(model, turn)
    async with loaded_model(tiny_file, tmp_path) as model:
        speculate(model, Guesses(first.tokens))
        assert (await answer(model, CHAT, max_tokens=30)).text == first.text
        speculate(model, None)
        continued = await answer(model, turn)

        assert (continued.text, continued.cached) == (expected.text, expected.cached)


async def test_a_model_with_a_recurrent_state_gets_no_drafts(tiny_file: Path, tmp_path: Path) -> None:
    """Its state cannot be cut where a draft was refused."""
    options = WorkerOptions(
        path=str(tiny_file),
        name="tiny",
        starter=False,
        data_folder=str(tmp_path),
        threads=1,
        slots=2,
        queue_limit=2,
        suspend_mb=0,
    )
    for shares, expected in ((True, Speculation), (False, type(None))):
        runner = load_tiny(tiny_file)
        runner.shares_prefixes = shares
        model = LoadedModel(runner, options)
        try:
            assert type(model._inference._speculation) is expected
        finally:
            await asyncio.to_thread(model.close)
