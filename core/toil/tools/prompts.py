"""The model's instructions about tools. Pure. Descriptions are the caller's: the operator's words stand above them.

Where a model chooses, the requests for one answer differ only beside the question: everything before it is computed
once, and the next answers of the conversation share it. The instructions for arguments stand in front of the question,
because weak models copy from what they read last. Where no model chooses, they stand in the system message.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.contract import Language, Tool, ToolCall
from core.conversation.call_outputs import list_calls
from core.conversation.draft import AnswerRequest
from core.texts import text
from core.toil.instructions import begin_question, end_question, end_system
from core.toil.tools.choice import ToolChoice

LIST_LIMIT_CHARS = 8000  # of all descriptions in the list of tools, which many tools share
LINE_LIMIT_CHARS = 300  # of one of them
DESCRIPTION_LIMIT_CHARS = 4000  # of the description of the tool that is called


def tell_tools(request: AnswerRequest, tools: Sequence[Tool], language: Language) -> AnswerRequest:
    """Lists the tools in the system message."""
    return end_system(request, [text("prompt-tools", language), list_tools(tools)])


def ask_for_choice(request: AnswerRequest, choice: ToolChoice, language: Language) -> AnswerRequest:
    """Asks for the name of a tool, or for `no_call`."""
    if choice.is_required:
        rules = [text("prompt-tool-required", language), text("prompt-tool-other", language) if choice.made else ""]
    else:
        enough = text("prompt-tool-enough", language, none=choice.no_call) if choice.made else ""
        rules = [text("prompt-tool-choice", language, none=choice.no_call), enough]
    return end_question(request, [*rules, describe_begun(choice.calls, language)])


def ask_for_arguments(
    request: AnswerRequest, tool: Tool, calls: tuple[ToolCall, ...], language: Language, *, is_listed: bool
) -> AnswerRequest:
    """`is_listed`: the system message lists the tools."""
    rule = text("prompt-tool-arguments", language, name=tool.name)
    description = " ".join(tool.description.split())[:DESCRIPTION_LIMIT_CHARS]
    paragraphs = [rule, description, describe_begun(calls, language)]
    return begin_question(request, paragraphs) if is_listed else end_system(request, paragraphs)


def ask_for_answer(request: AnswerRequest, language: Language) -> AnswerRequest:
    """Asks for the answer itself, where the system message lists tools."""
    return end_question(request, [text("prompt-tool-answer", language)])


def list_tools(tools: Sequence[Tool]) -> str:
    limit = min(LINE_LIMIT_CHARS, LIST_LIMIT_CHARS // max(1, len(tools)))
    return "\n".join(f"- {tool.name}: {one_line(tool.description, limit) or tool.name}" for tool in tools)


def one_line(description: str, limit: int = LINE_LIMIT_CHARS) -> str:
    return " ".join(description.split())[:limit]


def describe_begun(calls: Iterable[ToolCall], language: Language) -> str:
    """The calls of this answer, which have no output yet; "" for none."""
    lines = list_calls(calls)
    return "\n".join([text("prompt-tool-begun", language), *lines]) if lines else ""
