"""The words and the sampling with which a model is asked for JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core.configuration.settings import Settings
from core.contract import Attachment, Json, Sampling, Task, Usage
from core.engine import ChatEngine
from core.openai.public.chat_requests import PublicChatRequest, build_chat
from core.toil.batch.job import Job
from core.toil.batch.rows import Row
from tests.core.support_chatting import TODAY, ask, serving, shown
from tests.core.toil.support_toil import CITY, OTTAWA


def batch_task() -> Task:
    return Job("whisper", CITY).build_task(Row(1, {"prompt": "Hi"}))


def openai_task() -> Task:
    form = {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY}}
    body = {"model": "whisper", "messages": [{"role": "user", "content": "Hi"}], "response_format": form}
    return build_chat(PublicChatRequest.model_validate(body)).task("someone")


async def test_stop_strings_are_ignored(chat: ChatEngine, own_settings: Settings) -> None:
    """They would cut the JSON."""
    async with serving(own_settings, OTTAWA) as model:
        result = await chat.toil(Task("whisper", "Hi", CITY, sampling=Sampling(stop=('"',), max_tokens=9)))

    assert "stop" not in model.requests[0]
    assert model.requests[0]["max_tokens"] == 9
    assert isinstance(result.usage, Usage)


@pytest.mark.parametrize("task", [Task("whisper", "Hi", CITY), batch_task(), openai_task()])
async def test_no_repeat_penalty_unless_the_caller_asks(chat: ChatEngine, own_settings: Settings, task: Task) -> None:
    """Every attempt switches it off explicitly, under both its names. (Before, the personality's garbled copies.)"""
    asking = replace(task, sampling=Sampling(repeat_penalty=1.3))
    async with serving(own_settings, ('{"city": 5}',), OTTAWA, OTTAWA) as model:
        await chat.toil(task)
        await chat.toil(asking)

    sent = [(each["repeat_penalty"], each["repetition_penalty"]) for each in model.requests]
    assert sent == [(1.0, 1.0), (1.0, 1.0), (1.3, 1.3)]


async def test_model_sees_the_schema(chat: ChatEngine, own_settings: Settings) -> None:
    """A long one as a skeleton. (Before, the model did not see it at all.) No schema adds nothing."""
    described = {f"part {number}": {"type": "string", "title": f"The name of part {number}"} for number in range(50)}
    long: dict[str, Json] = {"type": "object", "properties": described, "required": ["part 0"]}
    async with serving(own_settings, OTTAWA, ('{"part 0": "a"}',), OTTAWA) as model:
        for schema in (CITY, long, None):
            await chat.toil(Task("whisper", "Which city?", schema))

    whole, skeleton, bare = (request["messages"][0]["content"] for request in model.requests)
    assert whole.endswith(f"It must conform to this JSON Schema:\n\n{json.dumps(CITY)}")
    assert 'It has this form:\n\n{\n  "part 0": string,\n  "part 1"?: string,\n' in skeleton
    assert bare.endswith("Answer with JSON only.")


async def test_the_form_follows_the_question(chat: ChatEngine, own_settings: Settings) -> None:
    """A weak model obeys what it read last. The skeleton of a long schema is in the system message alone."""
    many: dict[str, Json] = {"type": "object", "properties": {f"part {n}": {"type": "string"} for n in range(90)}}
    async with serving(own_settings, OTTAWA, ("{}",), OTTAWA) as model:
        for schema in (CITY, many, None):
            await chat.toil(Task("whisper", "Which city?", schema))

    short, long, bare = (request["messages"][-1]["content"] for request in model.requests)
    assert short.endswith('Which city?\n\nThe JSON has this form:\n\n{\n  "city": string,\n  "on"?: "YYYY-MM-DD"\n}')
    assert long.endswith("Which city?")
    assert bare.endswith("Which city?")


async def test_free_answers_keep_the_personalitys_repeat_penalty(chat: ChatEngine, own_settings: Settings) -> None:
    """Only toil is without it."""
    async with serving(own_settings, ("Hello.",)) as model:
        await ask(chat, "Hi")

    assert model.requests[0]["repeat_penalty"] == 1.1


async def test_text_is_quoted_as_a_document(chat: ChatEngine, own_settings: Settings) -> None:
    """It comes before the prompt."""
    task = Task("whisper", "Which city?", CITY, attachments=(Attachment("text", "Ottawa lies on a river."),))
    async with serving(own_settings, OTTAWA) as model:
        await chat.toil(task)

    asked = shown(model.requests[0])
    assert asked.index("Ottawa lies on a river.") < asked.index("Which city?")
    assert "Document «[1] text»" in asked


async def test_rows_of_a_batch_share_a_prefix(chat: ChatEngine, own_settings: Settings) -> None:
    """The differing part comes last, so that the prefix is computed once."""
    async with serving(own_settings, OTTAWA, OTTAWA) as model:
        for row in ("Which city?", "Where?"):
            await chat.toil(Task("whisper", row, CITY))

    first, second = (request["messages"] for request in model.requests)
    assert first[:-1] == second[:-1]
    assert second[-1]["content"].startswith(f"{TODAY}\n\nWhere?\n\n")
