"""Tools, calls, and a chat engine that chooses among them over a fake model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

from core.configuration.settings import Settings
from core.contract import (
    Prompt,
    Tool,
    Toolbox,
    ToolCall,
    ToolEvent,
    ToolsChosen,
)
from core.engine import ChatEngine
from tests.core.support_chatting import serving
from tests.support.fake_model import Step

WEATHER = Tool(
    "get_weather",
    "The weather of a city.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
TIME = Tool("get_time", "The time now.")
OTTAWA, HALIFAX = '{"city": "Ottawa"}', '{"city": "Halifax"}'
MADE = ToolCall("call_1", "get_weather", OTTAWA, '{"sky": "clear"}')


def names(word: str) -> Sequence[Step]:
    """The model's decision."""
    return (json.dumps({"function": word}),)


async def choose(
    chat: ChatEngine, settings: Settings, toolbox: Toolbox, *answers: Sequence[Step], calls: tuple[ToolCall, ...] = ()
) -> tuple[list[ToolEvent], list[dict[str, Any]]]:
    prompt = Prompt("whisper", "Is it sunny?", toolbox=toolbox, calls=calls)
    async with serving(settings, *answers) as model, aclosing(chat.choose_tools(prompt)) as events:
        return [event async for event in events], model.requests


def calls_of(events: Sequence[ToolEvent]) -> list[tuple[str, str]]:
    end = events[-1]
    assert isinstance(end, ToolsChosen)
    return [(call.name, call.arguments) for call in end.calls]


def enforced(request: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = request["response_format"]["json_schema"]["schema"]
    return schema


def offered(request: dict[str, Any]) -> list[str]:
    """The words among which a request has the model decide."""
    words: list[str] = enforced(request)["properties"]["function"]["enum"]
    return words
