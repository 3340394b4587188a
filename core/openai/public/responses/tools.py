"""The parameters about tools, as a response repeats them: in the form of the Responses API, whatever form was sent."""

from __future__ import annotations

from typing import Any

from core.contract import Json
from core.openai.public.tools import function_of


def echo_tools(tools: list[Any] | None) -> list[Json]:
    """`tools` has been read without a complaint."""
    return [echo_tool(function_of(tool, "tools")[0]) for tool in tools or ()]


def echo_tool(function: Any) -> Json:
    """OpenAI's clients know schemas as objects only."""
    parameters = function.get("parameters")
    return {
        "type": "function",
        "name": function["name"],
        "description": function.get("description"),
        "parameters": parameters if isinstance(parameters, dict) else None,
        "strict": function.get("strict"),
    }


def echo_choice(choice: Any) -> Json:
    """`choice` has been read without a complaint."""
    if not isinstance(choice, dict):
        return choice or "auto"
    if choice["type"] != "allowed_tools":
        return echo_function(choice)
    allowed = choice.get("allowed_tools", choice)
    return {
        "type": "allowed_tools",
        "mode": allowed["mode"],
        "tools": [echo_function(each) for each in allowed["tools"]],
    }


def echo_function(entry: Any) -> Json:
    return {"type": "function", "name": function_of(entry, "tool_choice")[0]["name"]}
