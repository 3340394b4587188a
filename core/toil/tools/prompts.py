"""The model's instructions about tools. Pure. Descriptions are the caller's: the operator's words stand above them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from core.contract import Language, Tool, ToolCall
from core.conversation.draft import AnswerRequest, join_paragraphs
from core.texts import text
from core.toil.tools.choice import ToolChoice

LINE_LIMIT_CHARS = 300  # of a description in the list of tools
DESCRIPTION_LIMIT_CHARS = 4000  # of the description of the tool that is called


def ask_for_choice(request: AnswerRequest, choice: ToolChoice, language: Language) -> AnswerRequest:
    """Asks for the name of a tool, or for `no_call`."""
    listed = join_paragraphs([text("prompt-tools", language), list_tools(choice.tools)])
    rules = [] if choice.is_required else [text("prompt-tool-choice", language, none=choice.no_call)]
    if choice.made and rules:
        rules.append(text("prompt-tool-enough", language, none=choice.no_call))
    return add_system(request, [listed, *rules, describe_begun(choice.calls, language)])


def ask_for_arguments(
    request: AnswerRequest, tool: Tool, calls: tuple[ToolCall, ...], language: Language
) -> AnswerRequest:
    rule = text("prompt-tool-arguments", language, name=tool.name)
    description = " ".join(tool.description.split())[:DESCRIPTION_LIMIT_CHARS]
    return add_system(request, [rule, description, describe_begun(calls, language)])


def add_system(request: AnswerRequest, paragraphs: Iterable[str]) -> AnswerRequest:
    system = join_paragraphs([request.draft.system, *paragraphs])
    return replace(request, draft=replace(request.draft, system=system), own_system=False, cache_key=None)


def list_tools(tools: Iterable[Tool]) -> str:
    return "\n".join(f"- {tool.name}: {one_line(tool.description) or tool.name}" for tool in tools)


def one_line(description: str) -> str:
    return " ".join(description.split())[:LINE_LIMIT_CHARS]


def describe_begun(calls: Iterable[ToolCall], language: Language) -> str:
    """The calls of this answer, which have no output yet; "" for none."""
    lines = [f"- {call.name} {call.arguments}" for call in calls]
    return "\n".join([text("prompt-tool-begun", language), *lines]) if lines else ""
