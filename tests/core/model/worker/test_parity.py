"""Greedy answers equal those of llama.cpp itself, however they are batched and wherever their prefixes come from.

The model is tiny, with sliding-window attention and a SentencePiece vocabulary. benchmarks/parity.py compares answers
of trained models.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from core.model.worker.prefix_cache import MIN_PREFIX_TOKENS
from core.model.worker.prompt_tokenizer import PromptTokenizer
from core.openai.chat_protocol import Message
from tests.core.model.worker.support_loaded_model import (
    Chat,
    answers,
    load_tiny,
    loaded_model,
    move_to_host_memory,
)
from tests.core.model.worker.support_parity import llama_server, plain_answer
from tests.support.tiny_model import WINDOW

PERSONALITY = "the book serves you; you see the user, and the user sees us in the book. " * 3
CHATS, TOKENS = 12, 10
WORDS = ("book", "user", "the boat", "cheese", "tea 12", "Ottawa", "été", "a house", "x = y", "the sea")


def questions(system: str = "") -> list[Chat]:
    """Returns chats, from shorter than the attention's window to many times longer."""
    before = [{"role": "system", "content": system}] if system else []
    return [
        [*before, {"role": "user", "content": f"{number}, {WORDS[number % 10]} " + "you use the book, " * (3 * number)}]
        for number in range(CHATS)
    ]


def next_turns(chats: list[Chat], texts: list[str]) -> list[Chat]:
    more = {"role": "user", "content": "and the rest?"}
    return [
        [*chat, {"role": "assistant", "content": text or "-"}, more] for chat, text in zip(chats, texts, strict=True)
    ]


class PlainLoop:
    """Expected tokens, by prompt."""

    def __init__(self, path: Path) -> None:
        self._runner = load_tiny(path)
        self._prompts = PromptTokenizer(self._runner)

    def prompt(self, chat: Chat) -> list[int]:
        messages = [Message(message["role"], message["content"]) for message in chat]  # type: ignore[arg-type]
        return [int(token) for token in self._prompts.chat(messages).tokens]

    def tokens(self, chats: list[Chat]) -> list[list[int]]:
        return [plain_answer(self._runner, self.prompt(chat), TOKENS) for chat in chats]


@pytest.fixture(scope="module")
def plain_loop(tiny_file: Path) -> PlainLoop:
    return PlainLoop(tiny_file)


at_once = pytest.mark.parametrize("at_once", [1, 8])


@at_once
async def test_fresh_answers(tiny_file: Path, plain_loop: PlainLoop, tmp_path: Path, at_once: int) -> None:
    """No prompt shares more than the template's first tokens with another one."""
    chats = questions()
    async with loaded_model(tiny_file, tmp_path) as model:
        found = await answers(model, chats, at_once, max_tokens=TOKENS)

    assert plain_loop.tokens(chats) == [answer.tokens for answer in found]
    assert len({answer.text for answer in found}) > CHATS // 2, "the answers depend on the prompts"


@at_once
async def test_answers_after_a_shared_prefix(
    tiny_file: Path, plain_loop: PlainLoop, tmp_path: Path, at_once: int
) -> None:
    """A personality's prompt, several times as long as the attention's window, is computed once."""
    chats = questions(PERSONALITY)
    async with loaded_model(tiny_file, tmp_path) as model:
        found = await answers(model, chats, at_once, max_tokens=TOKENS)

    assert plain_loop.tokens(chats) == [answer.tokens for answer in found]
    assert 1 == sum(answer.cached <= 3 * WINDOW for answer in found)


@at_once
async def test_next_turns_restored_from_host_memory(
    tiny_file: Path, plain_loop: PlainLoop, tmp_path: Path, at_once: int
) -> None:
    """Conversations that left the KV cache go on where they were."""
    async with loaded_model(tiny_file, tmp_path) as model:
        first = await answers(model, questions(), at_once, max_tokens=TOKENS)
        chats = next_turns(questions(), [answer.text for answer in first])
        await move_to_host_memory(model)
        found = await answers(model, chats, at_once, max_tokens=TOKENS)

    assert plain_loop.tokens(chats) == [answer.tokens for answer in found]
    assert sum(answer.cached > MIN_PREFIX_TOKENS for answer in found) > CHATS // 2


@at_once
async def test_next_turns_restored_from_disk(
    tiny_file: Path, plain_loop: PlainLoop, tmp_path: Path, at_once: int
) -> None:
    """Conversations go on in another process of the same model."""
    keys = [f"conversation {number}" for number in range(CHATS)]
    async with loaded_model(tiny_file, tmp_path) as model:
        first = await answers(model, questions(), at_once, keys, max_tokens=TOKENS)
    chats = next_turns(questions(), [answer.text for answer in first])
    async with loaded_model(tiny_file, tmp_path) as model:
        found = await answers(model, chats, at_once, keys, max_tokens=TOKENS)

    assert plain_loop.tokens(chats) == [answer.tokens for answer in found]
    assert sum(answer.cached > MIN_PREFIX_TOKENS for answer in found) > CHATS // 2


async def test_answers_equal_those_of_a_llama_server(tiny_file: Path, plain_loop: PlainLoop, tmp_path: Path) -> None:
    """llama-server keeps only the tokens within the attention's window; ours keeps all, for prefixes to be shared."""
    chats = [*questions(), *questions(PERSONALITY)]
    async with loaded_model(tiny_file, tmp_path) as model, llama_server(tiny_file) as server:
        found = await answers(model, chats, 8, max_tokens=TOKENS)
        expected = [await server.complete(plain_loop.prompt(chat), TOKENS) for chat in chats]

    assert expected == [answer.text for answer in found]
