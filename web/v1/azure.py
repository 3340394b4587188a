"""The paths of Azure's OpenAI clients. The older ones name the model as a deployment."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from core.contract import Json

DEPLOYMENTS = ("/v1/deployments/{deployment}", "/openai/deployments/{deployment}")  # with `base_url`, `azure_endpoint`
PREFIXES = ("/openai/v1", "/openai")  # in the place of /v1; the model is in the body


def path_model(request: web.Request) -> Mapping[str, Json]:
    """The field `model`, if the path has it: Azure's own requests have none in the body."""
    name = request.match_info.get("deployment")
    return {} if name is None else {"model": name}
