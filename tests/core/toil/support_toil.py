"""Tasks for tests of toil, and what an engine gets of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.configuration.settings import Settings
from core.contract import Json, Task, ToilResult
from core.engine import ChatEngine
from tests.core.support_chatting import serving
from tests.support.fake_model import Step

CITY: dict[str, Json] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "on": {"type": "string", "format": "date"}},
    "required": ["city"],
    "additionalProperties": False,
}


NAMED_CITY: dict[str, Json] = {**CITY, "properties": {"city": {"type": "string"}}}


OTTAWA = ('{"city": ', '"Ottawa"}')


def enforced_schema(request: dict[str, Any]) -> dict[str, Any]:
    """The schema that a request made the engine enforce."""
    schema: dict[str, Any] = request["response_format"]["json_schema"]["schema"]
    return schema


async def run_toil(
    chat: ChatEngine, settings: Settings, schema: Any, *answers: Sequence[Step]
) -> tuple[ToilResult, list[dict[str, Any]]]:
    async with serving(settings, *answers) as model:
        return await chat.toil(Task("whisper", "Which city?", schema)), model.requests
