"""/toil: a prompt and a JSON Schema in, the conforming value out. JSON in every case, also when it fails."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from core import strict_json
from core.contract import Task
from web import body
from web.problems import ParameterRefused
from web.service import SERVICE


class ToilRequest(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    prompt: str
    json_schema: dict[str, Any] | bool | None = Field(default=None, alias="schema")


async def toil(request: web.Request) -> web.Response:
    """POST /toil/<personality>."""
    service = request.app[SERVICE]
    personality = service.personality(request.match_info["personality"])
    asked = await body.read_json(request, ToilRequest)
    if not asked.prompt.strip():
        raise ParameterRefused("`prompt` is empty", "prompt")
    toiled = await service.toil(Task(personality, asked.prompt, asked.json_schema, service.user_of(request)))
    return web.Response(body=strict_json.dump(toiled.value), content_type="application/json")
