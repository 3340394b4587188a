"""A SentencePiece vocabulary through the whole worker: text, stop strings, schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from core.openai.engine_requests import EngineChatRequest
from tests.core.model.worker.support_loaded_model import Chat, answer, load_tiny, loaded_model
from tests.support.tiny_model import write_tiny_model

HELLO: Chat = [{"role": "user", "content": "you see the book"}]
SCHEMAS: dict[str, Any] = {
    "object": {
        "type": "object",
        "properties": {
            "the book": {"type": "string", "maxLength": 12},
            "é": {"type": "integer"},
            "s": {"enum": ["the"]},
        },
        "required": ["the book", "é", "s"],
        "additionalProperties": False,
    },
    "array": {"type": "array", "items": {"type": "boolean"}, "minItems": 2, "maxItems": 4},
    "string": {"type": "string", "pattern": "^ the b{2,4}$"},
}


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("temperature", [0.0, 1.5])
@pytest.mark.parametrize("space_prefix", [False, True])
async def test_a_document_under_a_schema_is_valid(
    tmp_path: Path, schema: str, temperature: float, space_prefix: bool
) -> None:
    """Blanks at the beginning of tokens, byte tokens and the end token take their places in the grammar."""
    file = write_tiny_model(tmp_path / "tiny.gguf", space_prefix=space_prefix)
    response_format = {"type": "json_schema", "json_schema": {"schema": SCHEMAS[schema]}}
    async with loaded_model(file, tmp_path) as model:
        for seed in range(4):
            found = await answer(
                *(model, HELLO), response_format=response_format, temperature=temperature, seed=seed, max_tokens=120
            )
            assert jsonschema_rs.is_valid(SCHEMAS[schema], json.loads(found.text)), found.text


async def test_text_is_that_of_the_tokens(tiny_file: Path, tmp_path: Path) -> None:
    """A first blank is kept, and bytes of one character that come in several tokens make one character."""
    runner = load_tiny(tiny_file)
    for text in (" the book", "the book", "  a", "été 😀 日本", "\n\nx"):
        tokens = runner.tokenize(text, special=False)
        assert b"".join(runner.vocabulary.pieces[token] for token in tokens).decode() == text
    runner.close()
    async with loaded_model(tiny_file, tmp_path) as model:
        found = await answer(model, HELLO, temperature=1.5, seed=3, max_tokens=60)
        pieces = b"".join(model._runner.vocabulary.pieces[token] for token in found.tokens)
    assert found.text == pieces.decode("utf-8", "replace")


async def test_a_stop_string_ends_the_answer(tiny_file: Path, tmp_path: Path) -> None:
    """It may span tokens; nothing of it is in the text."""
    async with loaded_model(tiny_file, tmp_path) as model:
        whole = (await answer(model, HELLO, max_tokens=12)).text
        stop = whole[3:6]
        found = await answer(model, HELLO, max_tokens=12, stop=stop)

    assert (whole[: whole.index(stop)], "stop") == (found.text, found.reason)


async def test_an_unknown_vocabulary_ends_its_answers_at_the_templates_mark(tmp_path: Path) -> None:
    """Without a token for a turn's end a base model writes ChatML's mark as text."""
    async with loaded_model(write_tiny_model(tmp_path / "tiny.gguf", turns=False), tmp_path) as model:
        reply = await model.chat(EngineChatRequest.model_validate({"messages": HELLO, "stop": ["x"], "max_tokens": 1}))

        assert ("x", "<|im_end|>") == reply.sequence.sampling.stop
    async with loaded_model(write_tiny_model(tmp_path / "turns.gguf"), tmp_path) as model:
        reply = await model.chat(EngineChatRequest.model_validate({"messages": HELLO, "max_tokens": 1}))

        assert reply.sequence.sampling.stop == ()
