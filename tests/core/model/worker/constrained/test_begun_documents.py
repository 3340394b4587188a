"""Documents that begin in the prompt, because their grammar dictates the beginning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.model.worker.loaded_model import LoadedModel, ReplyHandle
from core.model.worker.sequence import FailedOutput, FinishedOutput, TextOutput
from core.openai.engine_requests import EngineChatRequest
from tests.core.model.worker.support_loaded_model import DEADLINE_S, loaded_model

SCHEMA = {
    "type": "object",
    "properties": {"colour": {"enum": ["red", "green"]}},
    "required": ["colour"],
    "additionalProperties": False,
}
ASK: dict[str, Any] = {"messages": [{"role": "user", "content": "Which colour?"}], "max_tokens": 40}
FORMAT = {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}}


async def ask(model: LoadedModel, **fields: Any) -> tuple[ReplyHandle, str]:
    """Returns the ended reply and its whole text."""
    reply = await model.chat(EngineChatRequest.model_validate(ASK | fields))
    text = reply.answer_prefix
    while not isinstance(output := await reply.outputs.get(DEADLINE_S), FinishedOutput):
        assert not isinstance(output, FailedOutput), output
        text += output.text if isinstance(output, TextOutput) else ""
    return reply, text


async def test_a_dictated_beginning_is_computed_with_the_prompt(starter_file: Path, tmp_path: Path) -> None:
    """It still counts as answer, in the usage and in the budget."""
    async with loaded_model(starter_file, tmp_path) as model:
        free, _text = await ask(model)
        reply, text = await ask(model, **FORMAT)
        pieces = model._runner.vocabulary.pieces

        assert reply.answer_prefix == '{"colour": "'
        assert json.loads(text)["colour"] in ("red", "green")
        begun = reply.sequence.prompt[-reply.sequence.begun_tokens :].tolist()
        assert b"".join(pieces[token] for token in [*begun, *reply.sequence.generated]).decode() == text
        assert reply.sequence.usage.prompt_tokens == free.sequence.usage.prompt_tokens
        assert reply.sequence.usage.completion_tokens == len(begun) + len(reply.sequence.generated)
        assert reply.sequence.max_tokens == ASK["max_tokens"] - len(begun)


@pytest.mark.parametrize("fields", [{"stop": ["colour"]}, {"max_tokens": 3}])
async def test_a_stop_string_or_a_small_budget_decides_first(
    starter_file: Path, tmp_path: Path, fields: dict[str, Any]
) -> None:
    async with loaded_model(starter_file, tmp_path) as model:
        reply, text = await ask(model, **FORMAT, **fields)

        assert reply.answer_prefix == ""
        assert reply.sequence.begun_tokens == 0
        assert "red" not in text
        assert "green" not in text
